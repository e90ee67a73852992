"""`python -m serve_app.jobs`: runs the job of the environment variable `JOB_SETTINGS`; a RayJob's entrypoint."""

import os
import sys
from functools import partial

from serve_app.jobs.errors import JobError
from serve_app.jobs.places import place
from serve_app.jobs.processor import answering
from serve_app.jobs.run import run
from serve_app.models.source import check_present
from serve_app.settings.errors import SettingsError
from serve_app.settings.job import VARIABLE, JobSettings
from serve_app.version import check_pair


def main() -> int:
    """Runs it.

    Returns:
        The exit status: 0, or 1 where the job cannot go on.
    """
    try:
        settings = JobSettings.parse(os.environ.get(VARIABLE, ""))
        check_pair(settings.model.versions.ray, settings.model.versions.vllm)
        check_present(settings.model)
        say = partial(print, flush=True)
        run(settings, place(settings.input), place(settings.output), partial(answering, settings), say)
    except (JobError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
