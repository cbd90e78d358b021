"""How many come, how fast, and who: one shape at every size."""

from dataclasses import dataclass, replace
from random import Random

OFFICERS = 3_000
MINUTE = 60.0  # seconds within which they sign in
FORCE = 15_000
MOVES = 2 / 3  # people who move, for each officer
FASTER = 10  # times as quick as in a real hour is everything that people think over
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
    slower: float = 1.0  # by which all times but the sign-in minute are stretched, for a slow machine
    by_provider: bool = False
    postgresql: bool = False

    @property
    def minute(self) -> float:
        """Seconds within which all come: as fast on a slow machine, since nobody comes later for its sake."""
        return MINUTE * self.officers / OFFICERS

    @property
    def stretch(self) -> float:
        """By which everything else takes longer or shorter than in the whole hour."""
        return self.slower * self.officers / OFFICERS

    @property
    def pace(self) -> float:
        """How many times as fast as in a real hour people think."""
        return FASTER / self.slower

    def after(self, minutes: float) -> float:
        """Seconds until so many of the hour's minutes have passed, as it is stretched."""
        return MINUTE * minutes * self.stretch

    @property
    def moves(self) -> int:
        """How many people the roster moves."""
        return round(self.officers * MOVES)

    @property
    def longest(self) -> float:
        """Seconds after which the run ends, whoever has not finished."""
        return 740 * max(self.stretch, 0.2)

    def staff_numbers(self) -> list[str]:
        """Who comes: no leaders, from all teams."""
        first = min(FIRST_LEARNER, self.force - self.officers)
        return [f"B{number:05}" for number in range(first, first + self.officers)]

    def arrival(self, chance: Random) -> float:
        """Seconds from the begin until somebody comes."""
        return chance.uniform(0, self.minute)

    def reading(self, chance: Random) -> float:
        """Seconds that one person reads the lessons of a module; some read all of them fast."""
        return chance.uniform(*MODULE) * self.stretch

    def thinking(self, chance: Random) -> float:
        """Seconds over one question."""
        return chance.uniform(*THINKING) * self.stretch

    def address(self, number: int) -> str:
        """Where the person of this number sits: a network of the force's own, one address each."""
        return f"10.{20 + number // 60_000}.{number // 250 % 240}.{number % 250 + 1}"


def all_ways(plan: Plan) -> tuple[Plan, ...]:
    """The three runs of one size and pace: with passwords, with single sign-on, and on PostgreSQL."""
    alike = replace(plan, by_provider=False, postgresql=False)
    return alike, replace(alike, by_provider=True), replace(alike, postgresql=True)
