"""Why a job does not go on; no refusals for a page, so that no task may take them for a bad row."""


class CancelledError(Exception):
    """The job was cancelled, or another worker has it now: undo what was not committed and end."""


class StoppedError(CancelledError):
    """The worker is ending: the job goes back to those that wait."""
