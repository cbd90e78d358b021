"""The kind samples: a share of intelligence documents, from the dip samples of the latest full months."""

from collections.abc import Mapping, Sequence
from typing import Any

from portal.domain.assurance.desk import HeldEvidence
from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence.shares import (
    Population,
    describe_share,
    parse_population,
    parse_threshold,
    whole_force,
)
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.dip_samples.measures import MEASURES, list_full_months
from portal.domain.dip_samples.models import DipSample
from portal.domain.dip_samples.queries import SampleRatio, add_up, list_samples
from portal.domain.dip_samples.statistics import FEWEST
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.domain.reports.viewer_scope import ViewerScope, units_under
from portal.platform import wording as say

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
        EntryRefusedError: A field cannot be read.
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


def check_samples(pieces: Sequence[HeldEvidence], position: Position) -> list[EvidenceState]:
    """What dip samples show at a position. Two statements, however many pieces there are."""
    if not pieces:
        return []
    longest = max(piece.version.definition["months"] for piece in pieces)
    samples = list_samples(position, list_full_months(longest, position.as_at))
    viewer_scope = whole_force(position)
    return [_check_sample(piece, samples, viewer_scope) for piece in pieces]


def _check_sample(
    piece: HeldEvidence, samples: Sequence[DipSample], viewer_scope: ViewerScope
) -> EvidenceState:
    definition, position = piece.version.definition, viewer_scope.position
    measure = MEASURES[definition["measure"]]
    population = Population.from_json(definition)
    months = list_full_months(definition["months"], position.as_at)
    ratio = add_up(measure.key, months, _rows_within(samples, population, viewer_scope, months))
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


def _rows_within(
    samples: Sequence[DipSample], population: Population, viewer_scope: ViewerScope, months: Sequence[Any]
) -> list[DipSample]:
    rows = [row for row in samples if row.month in months]
    if not population.unit:
        return rows
    top = viewer_scope.unit_of(population.unit)
    within = units_under(viewer_scope.units, top) if top is not None else set()
    return [row for row in rows if row.unit_id in within]


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
