"""Reasons why a reading process was stopped, as errors with a sentence for the person who sent the file."""

from portal.platform.errors import BusyError, PortalError, RuleError


class ReadingStoppedError(RuleError):
    """A reading process ended without an answer; nothing was changed."""

    tells = "{thing} cannot be {done}. {advice}"

    def __init__(self, thing: str, advice: str, act: tuple[str, str] = ("read", "read")) -> None:
        super().__init__(self.tells.format(thing=thing, advice=advice, act=act[0], done=act[1]))


class MemoryStopError(ReadingStoppedError):
    """It asked for more memory than it may have."""

    tells = "{thing} takes too much memory to {act}. {advice}"


class ProcessorStopError(ReadingStoppedError):
    """It used more processor time than it may."""

    tells = "{thing} takes too long to {act}. {advice}"


class TimeStopError(ProcessorStopError):
    """It did not answer within the time limit."""


class OutputStopError(ReadingStoppedError):
    """Its answer is larger than allowed."""

    tells = "{thing} is too large to be {done}. {advice}"


class CrashStopError(ReadingStoppedError):
    """It crashed."""


class GarbledStopError(ReadingStoppedError):
    """Its answer cannot be understood."""


class ReadersBusyError(BusyError):
    """The most files allowed at once are being read, and none ended in time."""

    def __init__(self) -> None:
        PortalError.__init__(
            self, "The portal is busy reading other files. Nothing was changed. Try again in a minute."
        )
