"""Signals that end a job early; no ``PortalError``, so that no task takes one for a bad row."""


class CancelledError(Exception):
    """The job was cancelled, or another worker has it now: undo what was not committed and end."""


class StoppedError(CancelledError):
    """The worker is ending: the job goes back to wait for another."""
