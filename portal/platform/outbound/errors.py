"""Why a message could not be sent to an address."""

from enum import StrEnum


class OutboundFault(StrEnum):
    """What went wrong, as it is stored."""

    ADDRESS = "address"  # a network that is not allowed, or an address that is refused as it is written
    NAME = "name"  # the host's name has no address
    UNREACHABLE = "unreachable"
    PROXY = "proxy"  # the force's proxy could not be reached, or did not connect
    CERTIFICATE = "certificate"
    TIMEOUT = "timeout"
    NO_ANSWER = "no_answer"  # something else than HTTP, or the connection ended


class OutboundError(Exception):
    """A message was not sent, or nobody knows whether it arrived.

    Attributes:
        fault: What went wrong.
        sentence: What to do about the address, where it is refused as it is written; else empty.
    """

    def __init__(self, fault: OutboundFault, sentence: str = "") -> None:
        self.fault, self.sentence = fault, sentence
        super().__init__(sentence or fault)
