"""Routers choose on a real Ray, as HAProxy asks them, in the serve image."""

import json
from collections import Counter
from pathlib import Path

from .test_serve_config import image, run

__all__ = ["image"]


def test_prompts_that_begin_alike_share_a_replica(image: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "routers.py").write_text((Path(__file__).parent / "routers.py").read_text())
    done = run(image, "python", "/routers/routers.py", binds=(f"{tmp_path}:/routers",))
    assert done.returncode == 0, done.stderr[-4000:]
    first, *others = json.loads(done.stdout.splitlines()[-1])
    assert others == [first] * 3, "a prompt went where its beginning was not"
    assert sorted(Counter(first).values()) == [4, 4], "new prompts are not spread"
