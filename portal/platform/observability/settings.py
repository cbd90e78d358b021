"""Settings of the log and of ``/metrics``."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from portal.platform.secret_keys import weakness_of_secret

SLOWEST_MS = 600_000


@dataclass(frozen=True, slots=True)
class SeeingSettings:
    """What is logged of requests and statements, and who may read the figures."""

    token: str = field(default="", repr=False)  # with which /metrics is read from anywhere
    log_requests: str = ""
    slow_statement_ms: str = "500"

    @property
    def slow_seconds(self) -> float:
        """How long a statement takes that is logged as slow."""
        return int(self.slow_statement_ms) / 1000

    def logs_every_request(self, mode: str) -> bool:
        """Whether each request has its line in the log; in the demo, unless set, refused ones alone."""
        return (self.log_requests or ("refused" if mode == "demo" else "all")) == "all"

    def list_faults(self) -> Iterator[str]:
        """A sentence for each setting that is wrong."""
        if self.log_requests not in {"all", "refused", ""}:
            yield "LOG_REQUESTS is 'all' or 'refused'."
        if self.token and (weakness := weakness_of_secret(self.token)):
            yield f"METRICS_TOKEN {weakness}: give it at least 32 random characters."
        milliseconds = self.slow_statement_ms
        is_number = milliseconds.isascii() and milliseconds.isdecimal() and len(milliseconds) < 9
        if not is_number or not 1 <= int(milliseconds) <= SLOWEST_MS:
            yield f"SLOW_STATEMENT_MS is 1 or more, up to {SLOWEST_MS}, in digits."


def read_seeing_settings(read: Callable[[str, str], str], secret: Callable[[str], str]) -> SeeingSettings:
    """The settings, from whatever reads a setting and its default, and a secret."""
    return SeeingSettings(
        token=secret("METRICS_TOKEN"),
        log_requests=read("LOG_REQUESTS", ""),
        slow_statement_ms=read("SLOW_STATEMENT_MS", "500") or "500",
    )
