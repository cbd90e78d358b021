"""How many come, how fast, and who: one shape at every size."""

from dataclasses import dataclass
from random import Random

OFFICERS = 3_000
MINUTE = 60.0  # seconds within which they sign in
FORCE = 15_000
MOVES = 2 / 3  # people who move, for each officer
# Everything that people think over is ten times quicker than in a real hour.
MODULE = (120.0, 480.0)  # seconds for the lessons of one module: 45 minutes by their files, or half, or 80
THINKING = (3.0, 9.0)  # seconds for a question: 30 to 90
CASE_PAUSES = 4  # in a case, on average: before it, and after each decision
FIRST_LEARNER = 600  # those before lead teams
MANAGERS = ("B00001", "B00002", "B00003", "B00004")
READER, IMPORTER, ISSUER = "D6001", "D9001", "D4001"


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. With fewer officers, they come and learn at the same rate for a shorter time.

    The force stays as large, and managers and readers of reports work as fast, so that a second of the
    shorter hour asks of the portal what one of the whole hour does; but bulk work fills more of it.
    """

    officers: int = OFFICERS
    force: int = FORCE
    slower: float = 1.0  # by which all times are stretched, so that a busy machine keeps up
    by_provider: bool = False
    postgresql: bool = False

    @property
    def share(self) -> float:
        """Of the whole hour."""
        return self.slower * self.officers / OFFICERS

    @property
    def minute(self) -> float:
        """Seconds within which all come."""
        return MINUTE * self.share

    @property
    def moves(self) -> int:
        """How many people the roster moves."""
        return round(self.officers * MOVES)

    @property
    def longest(self) -> float:
        """Seconds after which the run ends, whoever has not finished."""
        return 740 * max(self.share, 0.2)

    def staff_numbers(self) -> list[str]:
        """Who comes: no leaders, from all teams."""
        first = min(FIRST_LEARNER, self.force - self.officers)
        return [f"B{number:05}" for number in range(first, first + self.officers)]

    def arrival(self, chance: Random) -> float:
        """Seconds from the begin until somebody comes."""
        return chance.uniform(0, self.minute)

    def reading(self, chance: Random) -> float:
        """Seconds that one person reads the lessons of a module; some read all of them fast."""
        return chance.uniform(*MODULE) * self.share

    def thinking(self, chance: Random) -> float:
        """Seconds over one question."""
        return chance.uniform(*THINKING) * self.share

    def address(self, number: int) -> str:
        """Where the person of this number sits: a network of the force's own, one address each."""
        return f"10.{20 + number // 60_000}.{number // 250 % 240}.{number % 250 + 1}"


WHOLE = (Plan(), Plan(by_provider=True), Plan(postgresql=True))
