"""The dimensions with their sizes, what is measured, and how fast each cost may grow."""

from dataclasses import dataclass, field

FLAT, LINEAR = 0.3, 1.2  # the most that an exponent may be, with room for the noise of a busy machine
LEARNING, OVERVIEW = "My learning", "overview"
PAGES = (
    LEARNING, "lesson", "passed module", "own record", "search of lessons", "report, today", "report, past",
    "report, as known then", OVERVIEW, "list of people", "search for a person",
)  # fmt: skip
FILE, IMPORT = "completion file (CSV)", "import of one row"
ISSUE, RECONCILE, REBUILD = "issue of a directive", "directives reconcile", "reconcile --rebuild"
BULK = (FILE, IMPORT, ISSUE, RECONCILE, REBUILD)
MOST_REBUILT = 4_000  # people up to whom everything is computed again


@dataclass(frozen=True, slots=True)
class Dimension:
    """What grows while all else stays as it is."""

    key: str
    title: str
    across: str  # what its sizes count
    sizes: tuple[int, ...]
    quick: tuple[int, ...]
    lists: frozenset[str] = field(default_factory=frozenset)  # pages with a row for each of these

    def most(self, line: str) -> float:
        """The greatest exponent that a line may have."""
        return FLAT if line in PAGES and line not in self.lists else LINEAR


# 2,600 rosters are those of ten years of working days.
DIMENSIONS = (
    Dimension("people", "More people", "people", (1_075, 17_200, 68_800), (60, 240)),
    Dimension(
        "directives", "More directives", "directives over 1,075 people", (1, 5, 20, 50), (1, 4),
        frozenset({LEARNING, OVERVIEW}),
    ),
    Dimension("modules", "More modules", "published modules", (4, 40, 100), (4, 8)),
    Dimension("units", "More units", "units of 2,000 people", (100, 700, 2_000), (50, 100)),
    Dimension("days", "Ten years of rosters", "days with a roster", (365, 1_095, 2_600), (8, 32)),
    Dimension("late", "Facts learnt late", "late facts of 4,300 people", (400, 4_000, 15_000), (10, 40)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What one line costs at one size."""

    dimension: str
    size: int
    line: str
    milliseconds: float  # of processor time, the portal and SQLite together
    statements: int
