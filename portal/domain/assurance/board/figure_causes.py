"""Counts the facts because of which a figure of a directive moved, by reading the changes of its reports."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from portal.domain.assurance.desk import EvidenceSnapshot
from portal.domain.assurance.evidence.shares import Population, whole_force
from portal.domain.reports.changes.cause_facts import Cause
from portal.domain.reports.changes.explanations import Causes
from portal.domain.reports.directive_snapshot import DirectiveSnapshot, read_directives
from portal.domain.reports.parameters import Position
from portal.domain.status.changes import Cell, Step, find_changed_cells, list_steps
from portal.domain.status.filters import Scope
from portal.domain.status.rules import WHOLE

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
