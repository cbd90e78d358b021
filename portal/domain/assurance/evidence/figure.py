"""The kind figure: how many people are complete under a directive, or under one of its requirements.

It is counted as the report of the directive counts, so that the desk and the report agree cell for cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from portal.domain.assurance.desk import HeldEvidence
from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence.shares import (
    Population,
    describe_share,
    parse_population,
    parse_threshold,
    report_address,
    whole_force,
)
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports import sentences
from portal.domain.reports.directive_snapshot import DirectiveSnapshot, read_directive, read_directives
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Figures, Share, share_of_group
from portal.domain.status import counting

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
    kept = {"directive": directive.reference, "requirement": key, "threshold": str(threshold)}
    return {**kept, **population.to_json()}


def check_figures(pieces: Sequence[HeldEvidence], position: Position) -> list[EvidenceState]:
    """What figures show at a position. A fixed number of statements, and two for each population."""
    if not pieces:
        return []
    directives = {directive.reference: directive for directive in read_directives(position)}
    named = {directives[ref].id for piece in pieces if (ref := _reference_of(piece)) in directives}
    figures = _count_populations({_population_of(piece) for piece in pieces}, named, position)
    return [
        _check_figure(piece, directives.get(_reference_of(piece)), figures[_population_of(piece)], position)
        for piece in pieces
    ]


def _count_populations(
    populations: set[Population], directive_ids: set[int], position: Position
) -> dict[Population, dict[int, Figures]]:
    """The figures of each population, by directive."""
    if not directive_ids:
        return {population: {} for population in populations}
    viewer_scope = whole_force(position)
    everyone = viewer_scope.scope_of(*sorted(directive_ids))
    found: dict[Population, dict[int, Figures]] = {}
    for population in populations:
        scope = replace(everyone, whose=viewer_scope.select_people(population.filters))
        found[population] = Figures.by_directive(counting.count_requirements(scope))
    return found


def _check_figure(
    piece: HeldEvidence, directive: DirectiveSnapshot | None, figures: dict[int, Figures], position: Position
) -> EvidenceState:
    population, key = _population_of(piece), piece.version.definition["requirement"]
    reference = _reference_of(piece)
    address = report_address(reference, population, position)
    if directive is None:
        asked: tuple[tuple[str, str], ...] = (("Directive", f"{reference}, which was not known then."),)
        return describe_share(piece, Share(), "are complete", asked, address)
    counted = figures.get(directive.id, Figures())
    required = next((each for each in directive.requirements if each.key == key), None)
    if not key:
        share, what = counted.share, "Everything that the directive requires."
    elif required is None:
        share, what = Share(), f"“{key}”, which the directive did not require."
    else:
        share, what = share_of_group(counted.requirements.get(required.position, {})), required.title
    definition = (
        ("Directive", f"{directive.reference}: {directive.title}"),
        ("Rule", f"Version {directive.version_number}: {sentences.due_rule(directive)}."),
        ("Requirement", what),
        ("People", population.words),
        ("Counted", COUNTED),
        ("Complete", f"{COMPLETE} {sentences.validity_sentence(directive)}"),
    )
    return describe_share(piece, share, "are complete", definition, address)


def _reference_of(piece: HeldEvidence) -> str:
    return str(piece.version.definition["directive"])


def _population_of(piece: HeldEvidence) -> Population:
    return Population.from_json(piece.version.definition)
