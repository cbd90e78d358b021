"""Reading and checking of recommendations: one TOML file each, named by its key. Pure."""

from dataclasses import dataclass
from datetime import date

from portal.domain.catalogue.sources.keyed_files import KeyedFiles
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import Table

LONGEST = {"title": 150, "source": 300, "addressee": 150, "wording": 2_000}  # characters
MOST_PARTNERS, LONGEST_PARTNER = 10, 150
MOST_PLACES = 999
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True, slots=True)
class RecommendationSource:
    """A recommendation as written."""

    key: str
    title: str
    source: str  # the report it is from
    addressee: str
    wording: str
    working_with: tuple[str, ...]  # bodies that it names; empty where it names none
    paraphrased: bool  # the wording is not the report's own
    deadline_on: date
    place: int  # in lists, from 1
    content: bytes  # the file


def _read_recommendation(key: str, content: bytes, root: Table) -> RecommendationSource:
    texts = {name: root.line_of_text(name, longest) for name, longest in LONGEST.items()}
    source = RecommendationSource(
        key=key,
        **texts,
        working_with=_read_partners(root),
        paraphrased=root.flag("paraphrased"),
        deadline_on=_read_deadline(root),
        place=root.number("place", least=1, most=MOST_PLACES),
        content=content,
    )
    root.close()
    return source


def _read_partners(root: Table) -> tuple[str, ...]:
    names = root.texts("working_with", required=False)
    if len(names) > MOST_PARTNERS:
        root.fault("working_with", f"Name {MOST_PARTNERS} bodies or fewer.")
    if any(len(name) > LONGEST_PARTNER for name in names):
        root.fault("working_with", f"Use {LONGEST_PARTNER} characters or fewer for each body.")
    return tuple(names)


def _read_deadline(root: Table) -> date:
    day = root.day("deadline_on")
    if day != date.min and not FIRST_DAY <= day <= LAST_DAY:
        root.fault("deadline_on", f"“deadline_on” needs a day from {FIRST_DAY.year} to {LAST_DAY.year}.")
    return day


def _refuse_shared_places(sources: list[RecommendationSource], faults: Faults) -> None:
    places: dict[int, str] = {}
    for source in sources:
        other = places.setdefault(source.place, source.key)
        if other != source.key:
            faults.add(f"{source.key}.toml", None, f"“{other}” has place {source.place} already.")


RECOMMENDATION_FILES = KeyedFiles(
    noun="a recommendation",
    example="plan.toml",
    reserved_keys=(  # below /assurance/
        "actions",
        "board",
        "documents",
        "evidence",
        "mine",
        "new",
        "pack",
    ),
    read_table=_read_recommendation,
    compare=_refuse_shared_places,
)
