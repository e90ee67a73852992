"""Why a job cannot go on."""


class JobError(Exception):
    """One sentence for whoever runs the job."""
