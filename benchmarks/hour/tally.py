"""What the hour's people met: every request's time, every failure by kind, all that was acknowledged."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SIGN_IN, PAGE, ANSWER = "sign-in", "learner's page", "answer"
FILE, REPORT, BULK = "file", "report page", "bulk work"
COUNTED = "counted"
LEARNING = frozenset({PAGE, ANSWER})


@dataclass(frozen=True, slots=True)
class Taken:
    """One request, or one sign-in with its redirects, in seconds from the run's begin."""

    kind: str
    what: str
    begun: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Times of one kind, in milliseconds."""

    count: int
    p50: float
    p95: float
    longest: float

    @classmethod
    def of(cls, times: Iterable[float]) -> "Spread":
        """Of seconds; zeros where there are none."""
        ordered = sorted(times)
        if not ordered:
            return cls(0, 0.0, 0.0, 0.0)
        p50, p95 = (1000 * ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95))
        return cls(len(ordered), p50, p95, 1000 * ordered[-1])


@dataclass
class Tally:
    """All of one run."""

    started: float = field(default_factory=time.perf_counter)
    taken: list[Taken] = field(default_factory=list)
    errors: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    answers: Counter[str] = field(default_factory=Counter)  # acknowledged savings, by attempt
    passes: dict[str, str] = field(default_factory=dict)  # attempt, by the reference that was shown
    phases: dict[str, tuple[float, float]] = field(default_factory=dict)  # begin and end
    finished: int = 0  # officers who passed
    offers: int = 0  # files that a job was asked to make, as too many others were being made

    def begin(self) -> None:
        """The run begins now; what was taken before it does not count."""
        self.started = time.perf_counter()
        self.taken.clear()

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self.started

    def add(self, kind: str, what: str, begun: float) -> None:
        """A request that was answered as it should be; ``begun`` as ``now`` gave it."""
        self.taken.append(Taken(kind, what, begun, self.now - begun))

    def fail(self, kind: str, error: BaseException) -> None:
        """A failure, once however often it is passed on."""
        if COUNTED in getattr(error, "__notes__", ()):
            return
        error.add_note(COUNTED)
        self.errors[kind][str(error) if isinstance(error, RuntimeError) else type(error).__name__] += 1

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What is done for a while beside everything else."""
        begun = self.now
        try:
            yield
        finally:
            self.phases[name] = (begun, self.now)

    def spread(self, kinds: Iterable[str], since: float = 0.0, until: float = math.inf) -> Spread:
        """Times of these kinds, of requests that began between the two."""
        some = frozenset(kinds)
        return Spread.of(t.seconds for t in self.taken if t.kind in some and since <= t.begun < until)

    def spread_during(self, kinds: Iterable[str], phase: str) -> Spread:
        """Times of these kinds, of requests under way at some moment of a phase."""
        some, (begun, end) = frozenset(kinds), self.phases[phase]
        beside = (t for t in self.taken if t.begun < end and t.begun + t.seconds >= begun)
        return Spread.of(t.seconds for t in beside if t.kind in some)

    @property
    def failures(self) -> int:
        """How many failed."""
        return sum(sum(kinds.values()) for kinds in self.errors.values())
