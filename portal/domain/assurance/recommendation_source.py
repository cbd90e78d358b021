"""Reading and checking of recommendations: one TOML file each, named by its key. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from portal.domain.catalogue.sources.folder_reader import KEY_PATTERN, decode_text
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import LONGEST_KEY, Source, Table

MOST_BYTES = 64 * 1024  # of one file
LONGEST = {"title": 150, "source": 300, "addressee": 150, "wording": 2_000}  # characters
MOST_PARTNERS, LONGEST_PARTNER = 10, 150
MOST_PLACES = 999
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2100, 12, 31)
RESERVED_KEYS = (
    "actions",
    "board",
    "documents",
    "evidence",
    "mine",
    "new",
    "pack",
)  # pages below /assurance/


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


def check_recommendations(files: Mapping[str, bytes], faults: Faults) -> list[RecommendationSource]:
    """Read and check recommendations by the names of their files, in that order; no two have one place."""
    sources = [
        source
        for name, content in sorted(files.items())
        if (source := check_recommendation(name.removesuffix(".toml"), content, faults))
    ]
    places: dict[int, str] = {}
    for source in sources:
        other = places.setdefault(source.place, source.key)
        if other != source.key:
            faults.add(f"{source.key}.toml", None, f"“{other}” has place {source.place} already.")
    return sources


def check_recommendation(key: str, content: bytes, faults: Faults) -> RecommendationSource | None:
    """Read and check one recommendation; None where its file is not TOML or its key cannot be one."""
    path = f"{key}.toml"
    if not KEY_PATTERN.fullmatch(key) or len(key) > LONGEST_KEY:
        faults.add(path, None, "Name a recommendation with small letters, digits and single hyphens.")
        return None
    if key in RESERVED_KEYS:
        faults.add(path, None, f"“{key}” is the address of another page. Choose another name.")
        return None
    if len(content) > MOST_BYTES:
        faults.add(path, None, f"Keep this file under {MOST_BYTES // 1024} KB.")
        return None
    text = decode_text(content, path, faults)
    root = Source(text, path, faults).root() if text is not None else None
    return None if root is None else _read_recommendation(key, content, root)


def _read_recommendation(key: str, content: bytes, root: Table) -> RecommendationSource:
    texts = {name: _read_line(root, name, longest) for name, longest in LONGEST.items()}
    source = RecommendationSource(
        key=key,
        **texts,
        working_with=_read_partners(root),
        paraphrased=root.flag("paraphrased"),
        deadline_on=_read_deadline(root),
        place=_read_place(root),
        content=content,
    )
    root.close()
    return source


def _read_line(root: Table, key: str, longest: int) -> str:
    text = " ".join(root.text(key).split())
    if len(text) > longest:
        root.fault(key, f"“{key}” has {len(text):,} characters. Use {longest:,} or fewer.")
    return text


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


def _read_place(root: Table) -> int:
    place = root.number("place", least=1)
    if place > MOST_PLACES:
        root.fault("place", f"“place” is {place}. Use {MOST_PLACES} or fewer.")
    return place
