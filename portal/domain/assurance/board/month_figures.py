"""The figures of many month ends as known on one instant, of all of them together.

Evidence is checked at one position. A year of it is a dozen positions that differ by their day alone: figures
of people who are not chosen by a unit are read for all days at once, with the same answers.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from portal.domain.assurance.desk import HeldEvidence
from portal.domain.assurance.evidence.checks import check_evidence
from portal.domain.assurance.evidence.shares import Population, whole_force
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports.directive_snapshot import DirectiveSnapshot, read_directives
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share, share_of_group
from portal.domain.status import counting
from portal.domain.status.rules import WHOLE, Status

Groups = Mapping[tuple[date, int, int], Mapping[Status, int]]  # people by day, directive, position and status
NO_SHARE = Share()


def share_of(state: EvidenceState | None) -> Share:
    """The figure that a piece of evidence shows; nobody of nobody if it shows none."""
    if state is None or not state.total:
        return NO_SHARE
    return Share(state.reached or 0, state.total)


def read_shares(
    headlines: Mapping[date, Sequence[HeldEvidence]], position: Position
) -> dict[tuple[date, str], Share]:
    """The figure of each piece of evidence on its day, as known on the position's instant.

    Args:
        headlines: The pieces of each day.
        position: Gives as_known_on.
    """
    shares: dict[tuple[date, str], Share] = {}
    together: dict[date, list[HeldEvidence]] = {}
    for day, pieces in headlines.items():
        together[day] = [piece for piece in pieces if _is_read_over_days(piece)]
        others = [piece for piece in pieces if not _is_read_over_days(piece)]
        states = check_evidence(others, replace(position, as_at=day)) if others else {}
        shares |= {(day, reference): share_of(state) for reference, state in states.items()}
    return shares | _read_figures({day: pieces for day, pieces in together.items() if pieces}, position)


def _is_read_over_days(piece: HeldEvidence) -> bool:
    return piece.version.kind == "figure" and not Population.from_json(piece.version.definition).unit


def _read_figures(
    pieces_by_day: Mapping[date, Sequence[HeldEvidence]], position: Position
) -> dict[tuple[date, str], Share]:
    if not pieces_by_day:
        return {}
    days = sorted(pieces_by_day)
    directives = _read_directives_of_days(days, position)
    populations = {
        Population.from_json(piece.version.definition)
        for pieces in pieces_by_day.values()
        for piece in pieces
    }
    counted = _count_populations(populations, days, directives, position)
    return {
        (day, piece.reference): _share_of_figure(
            piece,
            directives[day].get(piece.version.definition["directive"]),
            counted[Population.from_json(piece.version.definition)],
            day,
        )
        for day, pieces in pieces_by_day.items()
        for piece in pieces
    }


def _read_directives_of_days(
    days: Sequence[date], position: Position
) -> dict[date, dict[str, DirectiveSnapshot]]:
    """The directives of each day by reference: read once for all days on which the same versions apply."""
    last = read_directives(replace(position, as_at=days[-1]))
    edges = sorted({on for directive in last for _, on in directive.known_versions})
    by_versions: dict[tuple[bool, ...], dict[str, DirectiveSnapshot]] = {}
    read: dict[date, dict[str, DirectiveSnapshot]] = {}
    for day in reversed(days):
        begun = tuple(on <= day for on in edges)
        if begun not in by_versions:
            on_day = last if day == days[-1] else read_directives(replace(position, as_at=day))
            by_versions[begun] = {directive.reference: directive for directive in on_day}
        read[day] = by_versions[begun]
    return read


def _count_populations(
    populations: set[Population],
    days: Sequence[date],
    directives: Mapping[date, Mapping[str, DirectiveSnapshot]],
    position: Position,
) -> dict[Population, Groups]:
    """One statement for each population."""
    ids = sorted({directive.id for on_day in directives.values() for directive in on_day.values()})
    if not ids:
        return {population: {} for population in populations}
    viewer_scope = whole_force(replace(position, as_at=days[-1]))
    everyone = viewer_scope.scope_of(*ids)
    counted: dict[Population, Groups] = {}
    for population in populations:
        groups: dict[tuple[date, int, int], dict[Status, int]] = defaultdict(dict)
        scope = replace(everyone, whose=viewer_scope.select_people(population.filters))
        for day, directive_id, place, status, people in counting.count_statuses_over_days(scope, days):
            group = groups[day, directive_id, place]
            group[status] = group.get(status, 0) + people
        counted[population] = groups
    return counted


def _share_of_figure(
    piece: HeldEvidence, directive: DirectiveSnapshot | None, groups: Groups, day: date
) -> Share:
    key = piece.version.definition["requirement"]
    if directive is None:
        return NO_SHARE
    places = {requirement.key: requirement.position for requirement in directive.requirements}
    place = places.get(key) if key else WHOLE
    if place is None:
        return NO_SHARE
    share = share_of_group(dict(groups.get((day, directive.id, place), {})))
    return share if share.total else NO_SHARE
