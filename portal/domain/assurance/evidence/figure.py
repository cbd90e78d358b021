"""The kind figure: how many people are complete under a directive, or under one of its requirements.

It is counted as the report of the directive counts, so that the desk and the report agree cell for cell.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from portal.domain.assurance.desk import EvidenceSnapshot
from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence.positions import PieceAtPosition, WholeForce
from portal.domain.assurance.evidence.shares import (
    Population,
    describe_share,
    parse_population,
    parse_threshold,
    report_address,
)
from portal.domain.assurance.evidence.status_groups import StatusGroups, count_people
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports import sentences
from portal.domain.reports.directive_snapshot import DirectiveHistory, DirectiveSnapshot, read_directive
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share, share_of_group
from portal.domain.status.rules import WHOLE

COMPLETE = "Done, and it counts on this day."
COUNTED = "Everybody to whom the directive applied and who was neither exempt nor deferred."


def parse_figure(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's fields give.

    Args:
        values: ``directive``: a reference; ``requirement``: the key of a module, guide or event type, or ""
            for all; ``unit``, ``role``, ``rank`` and ``threshold``.
        position: Of today.

    Raises:
        NotFoundError: There is no such directive.
        EntryRefusedError: A field cannot be read.
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
