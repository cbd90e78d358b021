"""The kinds of evidence that count people or documents, at any position."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import literal, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion
from portal.domain.catalogue.publishing import current_event_type, current_guide
from portal.domain.people.models import Post
from portal.domain.people.positions import choose_known, choose_known_rows
from portal.domain.people.queries import live_units_at
from portal.domain.people.units import read_former_units
from portal.domain.people.visibility import COMMAND_LINE
from portal.domain.records.models import Acknowledgement, Record, Revocation
from portal.domain.reports import sentences
from portal.domain.reports.funnels import FEWEST
from portal.domain.reports.parameters import EVERYONE, Filters, Position, split_values
from portal.domain.reports.queries import ViewerScope, accept_filters, units_under
from portal.domain.reports.sentences import group_words
from portal.domain.reports.statistics import (
    DirectiveHistory,
    DirectiveSnapshot,
    Share,
    read_directive,
    share_of_group,
)
from portal.domain.status import counts
from portal.domain.status.counts import Later, Scope, Whose
from portal.domain.status.rules import WHOLE, Status
from portal.features.assurance.desk import EvidenceSnapshot, EvidenceState
from portal.features.assurance.services import EntryRefusedError
from portal.features.dip_samples.models import DipSample
from portal.features.dip_samples.queries import SampleRatio, read_sample_facts, sum_samples
from portal.features.dip_samples.rules import MEASURES
from portal.platform import wording as say
from portal.platform.db import db
from portal.platform.months import list_full_months

# A share of people that evidence shows: of whom, how many at least, and how it is said.

_PERCENTAGE = re.compile(r"[0-9]{1,3}(\.[0-9])?")
PEOPLE = ("person", "people")
PERCENTAGE = "Of those counted, rounded down, so 100% means all of them."


@dataclass(frozen=True, slots=True)
class Population:
    """The people of whom a share is: everyone, or those in a unit, with a role, or with some ranks."""

    unit: str = ""  # a unit's path: it and all units under it
    role: str = ""
    rank: str = ""  # one, or several as the reports' filters join them

    @property
    def filters(self) -> Filters:
        """As the reports' filters select them."""
        return Filters(unit=self.unit, role=self.role, rank=self.rank)

    @property
    def words(self) -> str:
        """Who they are: "Sergeant or Inspector"; everyone where nothing narrows them."""
        return group_words(self.filters) or "Everyone"

    def to_json(self) -> dict[str, str]:
        """The fields that narrow it."""
        return self.filters.address

    @classmethod
    def from_json(cls, definition: Mapping[str, Any]) -> "Population":
        """Read back what ``to_json`` wrote into a definition."""
        return cls(*(definition.get(name, "") for name in ("unit", "role", "rank")))


def whole_force(position: Position) -> ViewerScope:
    """Everybody at a position: the desk counts the whole force. One statement."""
    return ViewerScope.of_viewer(COMMAND_LINE, position)


def parse_population(values: Mapping[str, str], position: Position) -> Population:
    """The population of a form's fields ``unit``, ``role`` and ``rank``, by the names of today.

    Raises:
        UnknownValueError: Nobody ever had one of the values.
    """
    fields = {name: values.get(name, "").strip() for name in ("unit", "role", "rank")}
    filters = Filters(**{**fields, "rank": fields["rank"] if split_values(fields["rank"]) else ""})
    if filters == EVERYONE:
        return Population()
    accepted = accept_filters(filters, whole_force(position))
    return Population(accepted.unit, accepted.role, accepted.rank)


def parse_threshold(text: str) -> Decimal:
    """The share from 0 to 1 that a percentage names, as a person writes it.

    >>> parse_threshold("95"), parse_threshold("97.5 %")
    (Decimal('0.95'), Decimal('0.975'))
    """
    number = text.replace("%", "").strip()
    if not _PERCENTAGE.fullmatch(number) or not 1 <= Decimal(number) <= 100:
        raise EntryRefusedError("threshold", "Enter a percentage from 1 to 100, such as 95.")
    return (Decimal(number) / 100).normalize()


def describe_share(
    piece: EvidenceSnapshot,
    share: Share,
    verb: str,
    definition: tuple[tuple[str, str], ...],
    address: str,
    *,
    noun: tuple[str, str] = PEOPLE,
    faults: tuple[str, ...] = (),
) -> EvidenceState:
    """What a share shows against the threshold of its piece of evidence.

    Args:
        piece: The piece, whose definition has the threshold.
        share: How many, of how many.
        verb: What is said of those reached: "are complete".
        definition: What is counted and how.
        address: Where a person sees what is behind it.
        noun: What is counted, one and many.
        faults: Why it does not hold beside the threshold; with one, the threshold says nothing.
    """
    version, threshold = piece.version, Decimal(piece.version.definition["threshold"])
    at_least = (("Threshold", f"At least {say.percent_exact(threshold)}."), ("Percentage", PERCENTAGE))
    terms = (*definition, *at_least)
    state = EvidenceState(
        piece.reference,
        version.title,
        version.kind,
        "",
        threshold=threshold,
        faults=faults,
        definition=terms,
        address=address,
    )
    return restate_share(state, share, verb, noun=noun, faults=faults)


def restate_share(
    state: EvidenceState,
    share: Share,
    verb: str,
    *,
    noun: tuple[str, str] = PEOPLE,
    faults: tuple[str, ...] = (),
) -> EvidenceState:
    """A piece of evidence with another share: its words and whether it holds are of that one alone."""
    threshold, counted = state.threshold or Decimal(0), say.plural(share.total, *noun)
    percent = say.percent_cut(share.done, share.total)
    shown = (
        f"{say.number(share.done)} of {counted} {verb} ({percent})"
        if share.total
        else f"No {noun[0]} is counted"
    )
    if not share.total:
        faults = (f"{shown}, so it shows nothing.",)
    elif not faults and share.done < threshold * share.total:
        faults = (f"{percent} is below the threshold of {say.percent_exact(threshold)}.",)
    return replace(state, shown=shown, reached=share.done, total=share.total, faults=faults)


def report_address(reference: str, population: Population, position: Position) -> str:
    """The address of a directive's report about a population at a position."""
    arguments = urlencode({**population.to_json(), **position.address})
    return f"/monitoring/directives/{reference}{'?' if arguments else ''}{arguments}"


# Pieces of evidence with the positions at which they are read, and the people whom they count.

_LaterPost = aliased(Post)


@dataclass(frozen=True, slots=True)
class PieceAtPosition:
    """A piece of evidence and the position at which it is read."""

    piece: EvidenceSnapshot
    position: Position


class WholeForce:
    """Everybody at several positions; units and posts are read once, and only if some evidence needs them."""

    def __init__(self, positions: Iterable[Position]) -> None:
        self._positions = set(positions)
        self._in_post: dict[tuple[Population, Position], Set[int]] = {}

    @cached_property
    def _scopes(self) -> dict[Position, ViewerScope]:
        units = live_units_at((each.as_at, each.as_known_on) for each in self._positions)
        former = cache(read_former_units)
        return {
            each: ViewerScope(
                each, units[each.as_at, each.as_known_on], True, frozenset(), None, (), former=former
            )
            for each in self._positions
        }

    def units_within(self, path: str, position: Position) -> frozenset[int] | None:
        """The unit with a path and all units under it at a position; None: any unit, as no path is given."""
        if not path:
            return None
        scope = self._scopes[position]
        top = scope.unit_of(path)
        return frozenset() if top is None else frozenset(units_under(scope.units, top))

    def select_people(self, population: Population, position: Position) -> Whose:
        """The people of a population, as the reports select them at a position."""
        filters = population.filters
        within = self.units_within(filters.unit, position)
        return Whose(everyone=True, within=within, role=filters.role, ranks=filters.ranks)

    def list_in_post(self, population: Population, position: Position) -> Set[int]:
        """The ids of the people of a population who are in post at a position. Posts are read once."""
        if (population, position) not in self._in_post:
            self._in_post[population, position] = self._find_in_post(population, position)
        return self._in_post[population, position]

    def _find_in_post(self, population: Population, position: Position) -> Set[int]:
        day, at = position.as_at, position.as_known_on
        within, ranks = self.units_within(population.unit, position), population.filters.ranks
        return {
            person_id
            for person_id, unit_id, role, rank, valid_from, valid_to, *_ in choose_known_rows(self._posts, at)
            if valid_from <= day <= valid_to
            and (within is None or unit_id in within)
            and population.role in ("", role)
            and (not population.rank or rank in ranks)
        }

    @cached_property
    def _posts(self) -> Sequence[tuple[Any, ...]]:
        """Posts on any of the days, in rows as ``choose_known_rows`` takes them."""
        days = [position.as_at for position in self._positions]
        columns: tuple[Any, ...] = (
            Post.person_id,
            Post.unit_id,
            Post.designated_role,
            Post.rank_or_grade,
            Post.valid_from,
            Post.valid_to,
            Post.recorded_at,
            _LaterPost.recorded_at,
        )
        statement = (
            select(*columns)
            .outerjoin(_LaterPost, _LaterPost.replaces_id == Post.id)
            .where(Post.void.is_(False), Post.valid_from <= max(days), Post.valid_to >= min(days))
        )
        return [tuple(row) for row in db.session.execute(statement)]  # quicker to take apart than rows


# The kind samples: a share of intelligence documents, from the dip samples of the latest full months.

MOST_MONTHS = 24
OFFERED = tuple(measure.key for measure in MEASURES.values() if measure.more_is_better)
CASES, DOCUMENTS = ("case", "cases"), ("document", "documents")
SAID = {
    "submitted": (CASES, "have a document"),
    "on_time": (DOCUMENTS, "came on time"),
    "sampled": (DOCUMENTS, "were read"),
    "complete": (DOCUMENTS, "are complete"),
    "graded": (DOCUMENTS, "are graded"),
}


def parse_samples(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's fields give.

    Args:
        values: ``measure``: a key of ``OFFERED``; ``months``: how many; ``unit`` and ``threshold``.
        position: Of today.

    Raises:
        UnknownValueError: There never was such a unit.
    """
    measure, months = values.get("measure", ""), values.get("months", "").strip()
    if measure not in OFFERED:
        raise EntryRefusedError("measure", "Choose what is counted.")
    if not (months.isascii() and months.isdigit() and 1 <= int(months[:3]) <= MOST_MONTHS):
        raise EntryRefusedError("months", f"Enter a whole number from 1 to {MOST_MONTHS}.")
    threshold = parse_threshold(values.get("threshold", ""))
    unit = parse_population({"unit": values.get("unit", "")}, position).to_json()
    return {"measure": measure, "months": int(months), "threshold": str(threshold), **unit}


def check_samples(pieces: Sequence[PieceAtPosition], force: WholeForce) -> list[EvidenceState]:
    """What dip samples show. One statement, however many pieces and positions there are."""
    months = {month for pair in pieces for month in _months_of(pair)}
    facts = read_sample_facts(months)
    known = {at: choose_known(facts, at) for at in {pair.position.as_known_on for pair in pieces}}
    return [_check_sample(pair, known[pair.position.as_known_on], force) for pair in pieces]


def _months_of(pair: PieceAtPosition) -> list[date]:
    return list_full_months(pair.piece.version.definition["months"], pair.position.as_at)


def _check_sample(pair: PieceAtPosition, samples: Sequence[DipSample], force: WholeForce) -> EvidenceState:
    piece, months = pair.piece, _months_of(pair)
    definition = piece.version.definition
    measure = MEASURES[definition["measure"]]
    population = Population.from_json(definition)
    units = force.units_within(population.unit, pair.position)
    rows = [row for row in samples if row.month in months and (units is None or row.unit_id in units)]
    ratio = sum_samples(measure.key, months, rows)
    words = (
        ("Counted", f"{measure.meaning}."),
        ("Months", _period_words(ratio)),
        ("Units", population.words if population.unit else "Every unit that recorded a sample."),
        ("Recorded", f"{say.plural(ratio.samples, 'sample')} of {say.plural(ratio.units, 'unit')}."),
        ("How sure", _interval_words(ratio)),
    )
    noun, verb = SAID[measure.key]
    few = ratio.total < FEWEST
    return describe_share(
        piece,
        Share(ratio.reached, ratio.total),
        verb,
        words,
        "/dip-samples",
        noun=noun,
        faults=(f"Of fewer than {FEWEST} {noun[1]} nothing can be said.",) if few else (),
    )


def _period_words(ratio: SampleRatio) -> str:
    if not ratio.months:
        return "None."
    first, last = min(ratio.months), max(ratio.months)
    return (
        f"{say.month_words(first)} to {say.month_words(last)}."
        if first != last
        else f"{say.month_words(first)}."
    )


def _interval_words(ratio: SampleRatio) -> str:
    if not ratio.total:
        return "Nothing was counted."
    return f"The share of many such documents lies within {ratio.interval.words} in 95 of 100 cases."


# Counts people in post, and of them those who have a record of an activity, at many positions.
#
# Posts and records are read once, and positions are looked at in memory: the board looks at dozens of
# them.

ATTENDED = ("attended", "imported", "external")  # sources of a record that say that somebody was there
_LaterRecord, _LaterRevocation = aliased(Record), aliased(Revocation)
Rows = Sequence[tuple[Any, ...]]


def count_shares(field: str, pieces: Sequence[PieceAtPosition], force: WholeForce) -> list[Share]:
    """The people in post of each piece's population, and of them those who have a record of its activity.

    Two statements, and one for the posts, however many pieces and positions there are.

    Args:
        field: Of the definitions, with the key of the activity: "guide" or "event_type".
        pieces: Each with its position.
        force: Everybody at those positions.

    Returns:
        The shares in the order of the pieces.
    """
    if not pieces:
        return []
    keys = sorted({str(pair.piece.version.definition[field]) for pair in pieces})
    facts = _RecordFacts(_read_records(field, keys), _read_revocations(keys))
    shares = []
    for pair in pieces:
        definition, position = pair.piece.version.definition, pair.position
        in_post = force.list_in_post(Population.from_json(definition), position)
        holders = facts.list_holders(definition[field], definition.get("version", 0), position)
        shares.append(Share(len(in_post & holders), len(in_post)))
    return shares


@dataclass(frozen=True, slots=True)
class _RecordFacts:
    """Records and revocations, in rows as ``choose_known_rows`` takes them."""

    records: Rows
    revocations: Rows

    def list_holders(self, key: str, number: int, position: Position) -> set[int]:
        """The people with a record of an activity, from a version on, that counts at a position."""
        day, at = position.as_at, position.as_known_on
        revoked = {
            record_id for record_id, from_on, *_ in choose_known_rows(self.revocations, at) if from_on <= day
        }
        return {
            person_id
            for activity, version, record_id, person_id, achieved_on, *_ in choose_known_rows(
                self.records, at
            )
            if activity == key and version >= number and achieved_on <= day and record_id not in revoked
        }


def _read_records(field: str, keys: Collection[str]) -> Rows:
    """Records of activities; of guides with the version that was read, of events version 0."""
    version = GuideVersion.number if field == "guide" else literal(0)
    columns: tuple[Any, ...] = (
        Activity.key,
        version,
        Record.id,
        Record.person_id,
        Record.achieved_on,
        Record.recorded_at,
        _LaterRecord.recorded_at,
    )
    statement = (
        select(*columns)
        .join(Record, Record.activity_id == Activity.id)
        .outerjoin(_LaterRecord, _LaterRecord.replaces_id == Record.id)
        .where(Activity.key.in_(keys), Record.void.is_(False))
    )
    if field == "guide":
        statement = (
            statement.where(Activity.kind == "guide")
            .join(Acknowledgement, Acknowledgement.record_id == Record.id)
            .join(GuideVersion, GuideVersion.id == Acknowledgement.guide_version_id)
        )
    else:
        statement = statement.where(Activity.kind == "event", Record.source.in_(ATTENDED))
    return [tuple(row) for row in db.session.execute(statement)]


def _read_revocations(keys: Collection[str]) -> Rows:
    """Revocations of records of activities."""
    columns = (
        Revocation.record_id,
        Revocation.from_on,
        Revocation.recorded_at,
        _LaterRevocation.recorded_at,
    )
    statement = (
        select(*columns)
        .join(Record, Record.id == Revocation.record_id)
        .join(Activity, Activity.id == Record.activity_id)
        .outerjoin(_LaterRevocation, _LaterRevocation.replaces_id == Revocation.id)
        .where(Activity.key.in_(keys), Revocation.void.is_(False))
    )
    return [tuple(row) for row in db.session.execute(statement)]


# The kinds acknowledgements and attendance: of the people in post, how many have such a record.
#
# They count people whether or not a directive asks them; what a directive asks is a figure.

IN_POST = "Everybody in this group with a post on this day, whether a directive counts them or not."


def parse_acknowledgements(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's fields give; versions before the one of today do not count.

    Args:
        values: ``guide``: its key; ``unit``, ``role``, ``rank`` and ``threshold``.
        position: Of today.
    """
    key = values.get("guide", "").strip()
    version = current_guide(key)
    if version is None:
        raise EntryRefusedError("guide", "Choose a guide that is published.")
    return {"guide": key, "version": version.number, **_parse_share(values, position)}


def parse_attendance(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's fields give.

    Args:
        values: ``event_type``: its key; ``unit``, ``role``, ``rank`` and ``threshold``.
        position: Of today.
    """
    key = values.get("event_type", "").strip()
    if current_event_type(key) is None:
        raise EntryRefusedError("event_type", "Choose an event type that is published.")
    return {"event_type": key, **_parse_share(values, position)}


def check_acknowledgements(pieces: Sequence[PieceAtPosition], force: WholeForce) -> list[EvidenceState]:
    """How many people in post acknowledged a guide, by the day of its position. Four statements."""
    titles = _Titles.read(GuideVersion, "guide", pieces)
    shares = count_shares("guide", pieces, force)
    states = []
    for pair, share in zip(pieces, shares, strict=True):
        piece = pair.piece
        key, number = piece.version.definition["guide"], piece.version.definition["version"]
        definition = (
            ("Guide", titles.title_of(key, pair.position)),
            ("Acknowledged", f"Stated to have read version {number} or a later one, by this day."),
            ("People", Population.from_json(piece.version.definition).words),
            ("Counted", IN_POST),
        )
        states.append(describe_share(piece, share, "acknowledged it", definition, f"/guides/{key}"))
    return states


def check_attendance(pieces: Sequence[PieceAtPosition], force: WholeForce) -> list[EvidenceState]:
    """How many people in post attended an event type, by the day of its position. Four statements."""
    titles = _Titles.read(EventTypeVersion, "event_type", pieces)
    shares = count_shares("event_type", pieces, force)
    states = []
    for pair, share in zip(pieces, shares, strict=True):
        piece = pair.piece
        key = piece.version.definition["event_type"]
        definition = (
            ("Event", titles.title_of(key, pair.position)),
            ("Attended", "Attendance was signed off, or entered from elsewhere, by this day."),
            ("People", Population.from_json(piece.version.definition).words),
            ("Counted", IN_POST),
        )
        states.append(describe_share(piece, share, "attended", definition, f"/events/types/{key}"))
    return states


def _parse_share(values: Mapping[str, str], position: Position) -> dict[str, str]:
    threshold = parse_threshold(values.get("threshold", ""))
    return {"threshold": str(threshold), **parse_population(values, position).to_json()}


@dataclass(frozen=True, slots=True)
class _Titles:
    """The titles of activities by key, each with when it was recorded, the highest number first."""

    by_key: Mapping[str, Sequence[tuple[datetime, str]]]

    @classmethod
    def read(
        cls, table: type[GuideVersion | EventTypeVersion], field: str, pieces: Sequence[PieceAtPosition]
    ) -> "_Titles":
        """Read the titles of the activities of these pieces. One statement."""
        keys = sorted({pair.piece.version.definition[field] for pair in pieces})
        rows = db.session.execute(
            select(Activity.key, table.recorded_at, table.title)
            .join(table, table.activity_id == Activity.id)
            .where(Activity.key.in_(keys))
            .order_by(table.number.desc())
        )
        by_key: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for key, recorded_at, title in rows:
            by_key[key].append((recorded_at, title))
        return cls(by_key)

    def title_of(self, key: str, position: Position) -> str:
        """The title of the newest version that was known at a position; the key if there was none."""
        known = (title for at, title in self.by_key.get(key, ()) if at <= position.as_known_on)
        return next(known, key)


# People by directive, requirement and status at many positions, counted in few statements.

StatusGroups = dict[tuple[int, int], dict[Status, int]]  # by directive and position; 0 is the whole


def count_people(
    populations: Iterable[tuple[Whose, Position]], directive_ids: Collection[int]
) -> dict[tuple[Whose, Position], StatusGroups]:
    """The people asked for at each position, as the directives' reports count them.

    One statement for all days of the same people as known on the same instant, where they are not chosen by
    units, and one for the instants.
    """
    groups: dict[tuple[Whose, Position], StatusGroups] = {population: {} for population in populations}
    if not directive_ids:
        return groups
    ids = tuple(sorted(directive_ids))
    positions = {position for _, position in groups}
    later = counts.measure_later(ids, {each.as_known_on for each in positions if not each.latest})
    together: dict[tuple[Whose, datetime, Later], dict[date, list[Position]]] = defaultdict(dict)
    for whose, position in groups:
        more = Later.NOTHING if position.latest else later[position.as_known_on]
        together[whose, position.as_known_on, more].setdefault(position.as_at, []).append(position)
    for (whose, known, more), days in together.items():
        scope = Scope(ids, max(days), known, whose, more)
        for day, directive_id, requirement, status, people in counts.count_statuses_over_days(
            scope, sorted(days)
        ):
            for position in days[day]:
                group = groups[whose, position].setdefault((directive_id, requirement), {})
                group[status] = group.get(status, 0) + people
    return groups


# The kind figure: how many people are complete under a directive, or under one of its requirements.
#
# It is counted as the report of the directive counts, so that the desk and the report agree cell for
# cell.

COMPLETE = "Done, and it counts on this day."
COUNTED = "Everybody to whom the directive applied and who was neither exempt nor deferred."


def parse_figure(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's fields give.

    Args:
        values: ``directive``: a reference; ``requirement``: the key of a module, guide or event type, or ""
            for all; ``unit``, ``role``, ``rank`` and ``threshold``.
        position: Of today.
    """
    directive = read_directive(values["directive"].strip(), position)
    key = values.get("requirement", "").strip()
    if key and key not in (requirement.key for requirement in directive.requirements):
        known = ", ".join(requirement.key for requirement in directive.requirements)
        raise EntryRefusedError(
            "requirement", f"{directive.reference} does not ask for “{key}”. It asks for: {known}."
        )
    population = parse_population(values, position)
    threshold = parse_threshold(values.get("threshold", ""))
    fields = {"directive": directive.reference, "requirement": key, "threshold": str(threshold)}
    return {**fields, **population.to_json()}


def check_figures(pieces: Sequence[PieceAtPosition], force: WholeForce) -> list[EvidenceState]:
    """What figures show. A fixed number of statements, and one for each population and instant."""
    history = DirectiveHistory.read()
    directives = {
        position: {directive.reference: directive for directive in history.at(position)}
        for position in {pair.position for pair in pieces}
    }
    directive_ids = {
        directives[pair.position][reference].id
        for pair in pieces
        if (reference := _reference_of(pair.piece)) in directives[pair.position]
    }
    whose = [force.select_people(_population_of(pair.piece), pair.position) for pair in pieces]
    people = count_people(
        [(each, pair.position) for each, pair in zip(whose, pieces, strict=True)], directive_ids
    )
    return [
        _check_figure(
            pair, directives[pair.position].get(_reference_of(pair.piece)), people[each, pair.position]
        )
        for each, pair in zip(whose, pieces, strict=True)
    ]


def _check_figure(
    pair: PieceAtPosition, directive: DirectiveSnapshot | None, people: StatusGroups
) -> EvidenceState:
    piece, position = pair.piece, pair.position
    population, key = _population_of(piece), piece.version.definition["requirement"]
    reference = _reference_of(piece)
    address = report_address(reference, population, position)
    if directive is None:
        unknown: tuple[tuple[str, str], ...] = (("Directive", f"{reference}, which was not known then."),)
        return describe_share(piece, Share(), "are complete", unknown, address)
    required = next((each for each in directive.requirements if each.key == key), None)
    if not key:
        share, what = (
            share_of_group(people.get((directive.id, WHOLE), {})),
            "Everything that the directive requires.",
        )
    elif required is None:
        share, what = Share(), f"“{key}”, which the directive did not require."
    else:
        share, what = share_of_group(people.get((directive.id, required.position), {})), required.title
    definition = (
        ("Directive", f"{directive.reference}: {directive.title}"),
        ("Rule", f"Version {directive.version_number}: {sentences.due_rule(directive)}."),
        ("Requirement", what),
        ("People", population.words),
        ("Counted", COUNTED),
        ("Complete", f"{COMPLETE} {sentences.validity_sentence(directive)}"),
    )
    return describe_share(piece, share, "are complete", definition, address)


def _reference_of(piece: EvidenceSnapshot) -> str:
    return str(piece.version.definition["directive"])


def _population_of(piece: EvidenceSnapshot) -> Population:
    return Population.from_json(piece.version.definition)
