"""What was recorded at the desk between two positions, in words, with the reason where one was given."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from portal.domain.reports.cause_facts import Cause
from portal.domain.reports.changes import Causes
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import DirectiveSnapshot, read_directives
from portal.domain.status.changes import Cell, Step, find_changed_cells, list_steps
from portal.domain.status.counts import Scope
from portal.domain.status.rules import WHOLE
from portal.features.assurance.desk import (
    FACT_KINDS,
    DeskFacts,
    EvidenceSnapshot,
    EvidenceState,
    choose_held_facts,
)
from portal.features.assurance.evidence_counts import Population, whole_force
from portal.features.assurance.models import (
    ActionVersion,
    AssuranceDecision,
    EvidenceVersion,
    Judgement,
    Narrative,
    PlanVersion,
    RecommendationOwner,
    RiskAssessment,
)
from portal.features.assurance.recommendations import ACTION_WORDS, JUDGEMENT_WORDS, DeskNames
from portal.platform.clock import london_day
from portal.platform.wording import date as say_date
from portal.platform.wording import number, percent_cut, plural

NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class DeskChange:
    """Something that was recorded at the desk.

    Attributes:
        recommendation_id: What it is about.
        on: The day from which it holds.
        recorded_at: When it was recorded.
        words: What changed, as a sentence without its stop.
        why: The reason in its author's words; "" where none was given.
    """

    recommendation_id: int
    on: date
    recorded_at: datetime
    words: str
    why: str = ""

    @property
    def is_late(self) -> bool:
        """Whether it was entered on a later day than that from which it holds."""
        return self.on < london_day(self.recorded_at)


def list_desk_changes(
    facts: DeskFacts, earlier: Position, later: Position, names: DeskNames
) -> list[DeskChange]:
    """What holds at the later position and did not at the earlier one, the latest first.

    Args:
        facts: All that was recorded by the later position.
        earlier: The position to compare with.
        later: The position that the board is shown at.
        names: DeskNames of people by id.
    """
    changes = []
    for kind in FACT_KINDS:
        before = {row.id for row in choose_held_facts(facts.rows[kind], earlier)}
        rows = choose_held_facts(facts.rows[kind], later)
        for index, row in enumerate(rows):
            if row.id not in before:
                previous = _find_previous(rows[:index], row)
                changes.append(_describe_change(facts, row, previous, names))
        changes += _list_withdrawn(facts, kind, earlier, later, names)
    changes += _list_outcomes(facts, earlier, later)
    return sorted(changes, key=lambda change: (change.recorded_at, change.words), reverse=True)


def _subject_of(row: Any) -> Any:
    """What versions of one thing have in common; decisions and judgements have nothing before them."""
    if isinstance(row, ActionVersion):
        return row.action_id
    if isinstance(row, EvidenceVersion):
        return row.evidence_id
    return row.recommendation_id


def _find_previous(rows: list[Any], row: Any) -> Any:
    """What held of the same thing before a fact; None: nothing."""
    return next((other for other in reversed(rows) if _subject_of(other) == _subject_of(row)), None)


def _describe_change(facts: DeskFacts, row: Any, previous: Any, names: DeskNames) -> DeskChange:
    words = _WORDS[type(row)](facts, row, previous, names)
    why = "" if isinstance(row, AssuranceDecision) else getattr(row, "reason", "")
    correction = "Corrected: " if row.replaces_id is not None else ""
    # A judgement says of which day it is; the other facts do not.
    on = london_day(row.recorded_at) if isinstance(row, Judgement) else row.from_on
    return DeskChange(facts.recommendation_of(row), on, row.recorded_at, f"{correction}{words}", why)


def _list_withdrawn(
    facts: DeskFacts, kind: type[Any], earlier: Position, later: Position, names: DeskNames
) -> Iterator[DeskChange]:
    """The facts of a class that were known at the earlier position and have been withdrawn since."""
    known = {row.id: row for row in choose_held_facts(facts.rows[kind], earlier)}
    for row in facts.rows[kind]:
        if row.void and row.replaces_id in known and row.recorded_at <= later.as_known_on:
            change = _describe_change(facts, known[row.replaces_id], None, names)
            yield DeskChange(
                change.recommendation_id, change.on, row.recorded_at, f"Withdrawn: {change.words}"
            )


def _list_outcomes(facts: DeskFacts, earlier: Position, later: Position) -> Iterator[DeskChange]:
    """What second people said of judgements, and judgements that their authors withdrew."""
    for row in choose_held_facts(facts.rows[Judgement], later):
        decision = facts.decisions.get(row.id)
        if decision is None or not earlier.as_known_on < decision.recorded_at <= later.as_known_on:
            continue
        words = f"Judgement “{JUDGEMENT_WORDS[row.state]}” {_OUTCOMES[decision.outcome]}"
        yield DeskChange(
            row.recommendation_id, decision.decided_on, decision.recorded_at, words, decision.reason
        )


_OUTCOMES = {
    "confirmed": "confirmed by a second person",
    "sent_back": "sent back",
    "withdrawn": "withdrawn by its author",
}


def _owner_words(_facts: DeskFacts, row: RecommendationOwner, previous: Any, names: DeskNames) -> str:
    was = f" (was {_person_words(previous.person_id, names)})" if previous else ""
    return f"Owner: {_person_words(row.person_id, names)}{was}"


def _action_words(facts: DeskFacts, row: ActionVersion, previous: Any, names: DeskNames) -> str:
    action = f"Action {facts.reference_of(row)}"
    if previous is None:
        due = f", due {say_date(row.due_on)}" if row.due_on else ""
        return f"{action} added: {row.title}{due}"
    parts = []
    if row.state != previous.state:
        parts.append(f"{_state_words(row)} (was {_state_words(previous)})")
    if row.due_on != previous.due_on:
        parts.append(f"due {_day_words(row.due_on)} (was {_day_words(previous.due_on)})")
    if row.owner_id != previous.owner_id:
        parts.append(
            f"owner {_person_words(row.owner_id, names)} (was {_person_words(previous.owner_id, names)})"
        )
    return f"{action}, {row.title}: {', '.join(parts) or 'changed'}"


def _decision_words(_facts: DeskFacts, row: AssuranceDecision, _previous: Any, _names: DeskNames) -> str:
    return f"Decided by {row.decided_by}: {row.title}"


def _risk_words(_facts: DeskFacts, row: RiskAssessment, previous: Any, _names: DeskNames) -> str:
    was = f" (was {previous.likelihood * previous.impact})" if previous else ""
    return f"Risk: {row.likelihood * row.impact} of 25{was}"


def _narrative_words(_facts: DeskFacts, _row: Narrative, previous: Any, _names: DeskNames) -> str:
    return "Narrative changed" if previous else "Narrative written"


def _evidence_words(facts: DeskFacts, row: EvidenceVersion, previous: Any, _names: DeskNames) -> str:
    act = "withdrawn" if row.withdrawn else "changed" if previous else "added"
    return f"Evidence {facts.reference_of(row)} {act}: {row.title}"


def _judgement_words(_facts: DeskFacts, row: Judgement, _previous: Any, _names: DeskNames) -> str:
    return f"Judged “{JUDGEMENT_WORDS[row.state]}” as at {say_date(row.from_on)}"


def _plan_words(_facts: DeskFacts, row: PlanVersion, _previous: Any, _names: DeskNames) -> str:
    return f"Plan version {row.number} published"


_WORDS: dict[type[Any], Callable[[DeskFacts, Any, Any, DeskNames], str]] = {
    RecommendationOwner: _owner_words,
    ActionVersion: _action_words,
    AssuranceDecision: _decision_words,
    RiskAssessment: _risk_words,
    Narrative: _narrative_words,
    EvidenceVersion: _evidence_words,
    Judgement: _judgement_words,
    PlanVersion: _plan_words,
}


def _state_words(version: ActionVersion) -> str:
    return ACTION_WORDS[version.state].lower()


def _person_words(person_id: int | None, names: DeskNames) -> str:
    return NOBODY if person_id is None else names[person_id]


def _day_words(day: date | None) -> str:
    return say_date(day) if day else "on no day"


# Counts the facts because of which a figure of a directive moved, by reading the changes of its reports.

MOST_PEOPLE = 500  # of one figure: after a first load everybody changed, which needs no list of causes
DATE_PASSED = "A record ended"
CAUSE_WORDS = {
    "record": "Completed",
    "revocation": "A record stopped counting",
    "exclusion": "Exempted or deferred, or no longer so",
    "post": "Joined, changed post or left",
    "directive_version": "The directive changed",
    "unit_state": "A unit moved",
}


@dataclass(frozen=True, slots=True)
class _ComparedFigure:
    """A figure whose people are compared: of whom, and under which requirement."""

    reference: str
    directive: DirectiveSnapshot
    position: int  # of the requirement; 0 is the whole directive
    then: Scope
    now: Scope


def count_causes(
    pieces: Sequence[EvidenceSnapshot], earlier: Position, later: Position
) -> dict[str, Counter[str]]:
    """People by what changed for them between two positions, of each piece of kind figure.

    A fixed number of statements for each piece. Of a figure for which more than ``MOST_PEOPLE`` changed,
    nothing is counted.
    """
    figures = _list_compared_figures(pieces, earlier, later)
    return {
        figure.reference: counts
        for figure in figures
        if (counts := _count_figure_causes(figure, earlier, later)) is not None
    }


def changes_address(piece: EvidenceSnapshot, earlier: Position, later: Position) -> str:
    """The address where a person sees each change behind a figure, with its cause; "" for other kinds."""
    if piece.version.kind != "figure":
        return ""
    definition = piece.version.definition
    begin = {f"from_{name}": value for name, value in earlier.pinned.items()}
    people = Population.from_json(definition).to_json()
    arguments = urlencode({**begin, **later.address, **people})
    return f"/monitoring/directives/{definition['directive']}/changes?{arguments}"


def _list_compared_figures(
    pieces: Sequence[EvidenceSnapshot], earlier: Position, later: Position
) -> list[_ComparedFigure]:
    figures = [piece for piece in pieces if piece.version.kind == "figure"]
    if not figures:
        return []
    directives = {directive.reference: directive for directive in read_directives(later)}
    force_then, force_now = whole_force(earlier), whole_force(later)
    measured = []
    for piece in figures:
        definition = piece.version.definition
        directive, key = directives.get(definition["directive"]), definition["requirement"]
        positions = {"": WHOLE}
        if directive is not None:
            positions |= {requirement.key: requirement.position for requirement in directive.requirements}
        if directive is None or key not in positions:
            continue
        filters = Population.from_json(definition).filters
        scopes = [
            replace(force.scope_of(directive.id), whose=force.select_people(filters))
            for force in (force_then, force_now)
        ]
        measured.append(_ComparedFigure(piece.reference, directive, positions[key], *scopes))
    return measured


def _count_figure_causes(figure: _ComparedFigure, earlier: Position, later: Position) -> Counter[str] | None:
    changed = find_changed_cells(figure.then, figure.now)
    people = [
        person_id
        for person_id, cells in changed.items()
        if figure.position in cells or None in cells.get(WHOLE, ())
    ]
    if not people or len(people) > MOST_PEOPLE:
        return None
    steps_by_person = list_steps(figure.then, figure.now, people)
    known = max(earlier.as_known_on, later.as_known_on)
    causes = Causes(figure.directive.id, people, later.as_known_on, None, known)
    counts: Counter[str] = Counter()
    for person_id in people:
        steps = steps_by_person[person_id]
        counts.update(_person_causes(figure.position, person_id, steps, causes))
    return counts


def _person_causes(position: int, person_id: int, steps: Collection[Step], causes: Causes) -> set[str]:
    """What changed for one person, in words; nothing if the figure counts them as before."""
    own = [step for step in steps if step.position == position]
    if not own or _counts_as(own[0].old) == _counts_as(own[-1].new):
        return set()
    relevant = [step for step in own if _counts_as(step.old) != _counts_as(step.new)]
    return {
        words
        for step in relevant
        for cause in causes.causes_of(person_id, step, steps)
        if (words := _cause_words(cause))
    }


def _counts_as(cell: Cell | None) -> str:
    """How a figure counts somebody: not at all, as complete, or as not complete."""
    if cell is None or cell.status.excluded:
        return "nobody"
    return "complete" if cell.status.held else "missing"


def _cause_words(cause: Cause) -> str:
    """The words of a cause's kind; "" of one that moves no figure, such as the start of a module."""
    return DATE_PASSED if cause.fact is None else CAUSE_WORDS.get(cause.fact[0], "")


# Why the figure of a piece of evidence moved between two positions.


@dataclass(frozen=True, slots=True)
class FigureMove:
    """A piece of evidence that shows something else than at the earlier position, or no longer holds.

    Attributes:
        reference: Of the piece of evidence.
        title: Its title.
        before: What it showed; "" where it was not there.
        after: What it shows.
        differences: How many more are done and counted, such as "9 more done".
        why: The causes, a sentence each, without their stops.
        address: Where a person sees what is behind it; "" for nowhere.
    """

    reference: str
    title: str
    before: str
    after: str
    differences: tuple[str, ...]
    why: tuple[str, ...]
    address: str = ""


def find_moves(
    earlier: Mapping[str, EvidenceState],
    known_since: Mapping[str, EvidenceState],
    later: Mapping[str, EvidenceState],
    causes: Mapping[str, Counter[str]],
) -> list[FigureMove]:
    """The pieces of evidence that moved, by reference.

    Args:
        earlier: What each showed at the earlier position.
        known_since: What each shows of that day, as known at the later position.
        later: What each shows at the later position.
        causes: People by what changed for them, of the pieces where that is known.
    """
    moves = []
    for reference, after in later.items():
        before = earlier.get(reference)
        if before is None or not _has_moved(before, after):
            continue
        why = _list_causes(before, known_since.get(reference, before), after, causes.get(reference))
        moves.append(
            FigureMove(
                reference,
                after.title,
                share_words(before),
                share_words(after),
                tuple(count_differences(before, after)),
                why,
                after.address,
            )
        )
    return moves


def share_words(state: EvidenceState) -> str:
    """What a piece of evidence shows: its figure, or for other kinds its sentence."""
    return figure_words(state.reached or 0, state.total) if state.total else state.shown


def figure_words(reached: int, total: int) -> str:
    """A figure as percentage and fraction, such as "77% – 241 of 310"."""
    return f"{percent_cut(reached, total)} – {number(reached)} of {number(total)}"


def _has_moved(before: EvidenceState, after: EvidenceState) -> bool:
    figures = (before.reached, before.total), (after.reached, after.total)
    return figures[0] != figures[1] or before.holds != after.holds


def _list_causes(
    before: EvidenceState, known_since: EvidenceState, after: EvidenceState, people: Counter[str] | None
) -> tuple[str, ...]:
    why = []
    if before.definition != after.definition and before.total is not None:
        why.append("What is counted was changed")
    if late := describe_late_records(before, known_since):
        why.append(late)
    if people:
        why += [f"{words}: {plural(count, 'person', 'people')}" for words, count in people.most_common()]
    if before.holds and not after.holds:
        why.append(f"It now needs attention: {' '.join(after.faults)}".rstrip("."))
    elif after.holds and not before.holds:
        why.append("It is in order again")
    return tuple(why)


def count_differences(before: EvidenceState, after: EvidenceState) -> list[str]:
    """How many more are done, and how many more are counted."""
    differences = (
        ((after.reached or 0) - (before.reached or 0), "done"),
        ((after.total or 0) - (before.total or 0), "counted"),
    )
    return [
        f"{number(abs(difference))} {'more' if difference > 0 else 'fewer'} {what}"
        for difference, what in differences
        if difference
    ]


def describe_late_records(before: EvidenceState, known_since: EvidenceState) -> str:
    """What records that were entered late changed of the earlier day; "" if nothing."""
    differences = count_differences(before, known_since)
    return f"Entered since, for earlier days: {', '.join(differences)}" if differences else ""
