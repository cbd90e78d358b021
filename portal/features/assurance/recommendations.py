"""Checking and publishing of recommendations as immutable versions, and queries of the published ones."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from portal.domain.catalogue.module_check import is_same_content, sha256_of
from portal.domain.catalogue.source_files import KeyedFiles
from portal.domain.people.services import list_names_of
from portal.features.assurance.desk import HistoryEntry, RecommendationSnapshot
from portal.features.assurance.models import Recommendation, RecommendationVersion
from portal.platform.audit import log
from portal.platform.db import db, is_newest_version, stamp
from portal.platform.errors import NotFoundError
from portal.platform.formats.toml_tables import Faults, Table
from portal.platform.wording import date as say_date

# Reading and checking of recommendations: one TOML file each, named by its key. Pure.

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

_IS_NEWEST = is_newest_version(RecommendationVersion.recommendation_id)


def current_recommendations() -> list[tuple[str, RecommendationVersion]]:
    """Return the key and the latest version of each recommendation, in their order. One statement."""
    statement = (
        select(Recommendation.key, RecommendationVersion)
        .join(RecommendationVersion, RecommendationVersion.recommendation_id == Recommendation.id)
        .where(_IS_NEWEST)
        .order_by(RecommendationVersion.place, Recommendation.key)
    )
    return [(key, version) for key, version in db.session.execute(statement)]


def numbered_recommendation(key: str, number: int | None = None) -> RecommendationVersion:
    """Return version ``number`` of the recommendation ``key``; the latest unless given."""
    condition = _IS_NEWEST if number is None else RecommendationVersion.number == number
    version: RecommendationVersion | None = db.session.scalar(_select_versions(key).where(condition))
    if version is None:
        which = "is not published" if number is None else f"has no version {number}"
        raise NotFoundError(f"The recommendation “{key}” {which}.")
    return version


def _select_versions(key: str) -> Any:
    return (
        select(RecommendationVersion)
        .join(Recommendation, Recommendation.id == RecommendationVersion.recommendation_id)
        .where(Recommendation.key == key)
    )


def read_version_file(key: str, version: RecommendationVersion) -> RecommendationSource:
    """What the file of a published version says, with what has no column of its own."""
    source = RECOMMENDATION_FILES.read_content(key, version.content, Faults())
    if source is None:  # it was checked when it was published
        raise NotFoundError(f"The file of the recommendation “{key}” cannot be read.")
    return source


def publish_recommendations(
    sources: Iterable[RecommendationSource], *, at: datetime, by: int | None
) -> dict[str, int | None]:
    """Publish each of these, and return its new number by its key; as ``publish_recommendation``."""
    return {source.key: publish_recommendation(source, at=at, by=by) for source in sources}


def publish_folder(folder: Path, at: datetime, by: int | None) -> dict[str, int | None]:
    """Publish what a folder holds; what is published already stays as it is."""
    return publish_recommendations(RECOMMENDATION_FILES.check_path(folder), at=at, by=by)


def publish_recommendation(source: RecommendationSource, *, at: datetime, by: int | None) -> int | None:
    """Write the next version and return its number; None if the current version says the same."""
    recorded_at = stamp()  # before the current version is read
    newest = _select_versions(source.key).where(_IS_NEWEST)
    current: RecommendationVersion | None = db.session.scalar(newest)
    digest = sha256_of(source.content)
    if current is not None and is_same_content({".toml": current.content}, {".toml": source.content}):
        return None
    version = RecommendationVersion(
        recorded_at=recorded_at,
        recommendation_id=current.recommendation_id if current else _add_recommendation(source, recorded_at),
        number=current.number + 1 if current else 1,
        digest=digest,
        content=source.content,
        title=source.title,
        source=source.source,
        addressee=source.addressee,
        wording=source.wording,
        deadline_on=source.deadline_on,
        place=source.place,
        published_at=at,
        published_by_id=by,
    )
    db.session.add(version)
    log(
        "recommendation.published",
        actor_id=by,
        recommendation=source.key,
        number=version.number,
        digest=digest,
    )
    db.session.flush()
    return version.number


def _add_recommendation(source: RecommendationSource, recorded_at: datetime) -> int:
    recommendation = Recommendation(recorded_at=recorded_at, key=source.key)
    db.session.add(recommendation)
    db.session.flush()
    return recommendation.id


# The words of the desk: states of judgements and actions, and the names of the people in it.

JUDGEMENT_WORDS = {
    "met": "Met",
    "partly_met": "Partly met",
    "not_met": "Not met",
    "not_judged": "Not judged",
}
ACTION_WORDS = {"open": "Not started", "under_way": "Under way", "done": "Done", "dropped": "Dropped"}
# Each has the colour of a status of similar meaning.
JUDGEMENT_TAGS = {
    "met": "satisfied",
    "partly_met": "in_progress",
    "not_met": "overdue",
    "not_judged": "not_started",
}
ACTION_TAGS = {"open": "not_started", "under_way": "in_progress", "done": "satisfied", "dropped": "exempt"}
LIKELIHOOD_WORDS = {1: "very unlikely", 2: "unlikely", 3: "possible", 4: "likely", 5: "very likely"}
IMPACT_WORDS = {1: "very small", 2: "small", 3: "moderate", 4: "grave", 5: "very grave"}
ERASED = "A person whose data is erased"


class DeskNames(dict[int, str]):
    """Names of people by their ids; somebody who has none any more is said to be erased."""

    def __missing__(self, person_id: int) -> str:
        return ERASED


def name_people(person_ids: Iterable[int | None]) -> DeskNames:
    """The names of these people, as the desk writes them. One statement, and none for nobody."""
    people = list_names_of({person_id for person_id in person_ids if person_id is not None})
    return DeskNames({names.person_id: f"{names.forenames} {names.surname}" for names in people})


def list_people_of(recommendation: RecommendationSnapshot) -> set[int | None]:
    """The ids of everybody who is named with a recommendation."""
    people = {recommendation.owner_id}
    for action in recommendation.actions:
        people |= {action.version.owner_id, action.version.recorded_by_id}
    for decision in recommendation.decisions:
        people.add(decision.recorded_by_id)
    for judgement in recommendation.judgements:
        people.add(judgement.judgement.made_by_id)
        if judgement.decision is not None:
            people.add(judgement.decision.decided_by_id)
    people |= {piece.version.owner_id for piece in recommendation.evidence}
    if recommendation.risk is not None:
        people.add(recommendation.risk.recorded_by_id)
    return people


def describe_entry(entry: HistoryEntry, names: Mapping[int, str]) -> str:
    """What an entry of the history says, as a sentence."""
    return _DESCRIPTIONS[entry.kind](entry.row, entry, names)


def _describe_action(row: Any, entry: HistoryEntry, names: Mapping[int, str]) -> str:
    owner = f", owner {names[row.owner_id]}" if row.owner_id is not None else ""
    due = f", due on {say_date(row.due_on)}" if row.due_on else ""
    reason = f" Why: {row.reason}" if row.reason else ""
    return f"Action {entry.reference}: {row.title}. {ACTION_WORDS[row.state]}{owner}{due}.{reason}"


def _describe_evidence(row: Any, entry: HistoryEntry, _names: Mapping[int, str]) -> str:
    state = "withdrawn" if row.withdrawn else "review by " + say_date(row.review_on) if row.review_on else ""
    reason = f" Why: {row.reason}" if row.reason else ""
    return f"Evidence {entry.reference}: {row.title}{', ' + state if state else ''}.{reason}"


_OUTCOME_WORDS = {
    "confirmed": "The judgement was confirmed.",
    "sent_back": "The judgement was sent back.",
    "withdrawn": "The judgement was withdrawn.",
}
_DESCRIPTIONS: dict[str, Callable[[Any, HistoryEntry, Mapping[int, str]], str]] = {
    "version": lambda row, _entry, _names: f"Version {row.number} of the recommendation was published.",
    "owner": lambda row, _entry, names: (
        f"Owner: {'nobody' if row.person_id is None else names[row.person_id]}."
    ),
    "action": _describe_action,
    "decision": lambda row, _entry, _names: f"Decision of {row.decided_by}: {row.title}. {row.text}",
    "risk": lambda row, _entry, _names: (
        f"Risk: {LIKELIHOOD_WORDS[row.likelihood]}, {IMPACT_WORDS[row.impact]} impact. {row.text}"
    ),
    "evidence": _describe_evidence,
    "judgement": lambda row, _entry, _names: f"Judged: {JUDGEMENT_WORDS[row.state]}. {row.reason}",
    "outcome": lambda row, _entry, _names: f"{_OUTCOME_WORDS[row.outcome]} {row.reason}".strip(),
    "narrative": lambda _row, _entry, _names: "The answer in words was written.",
}
