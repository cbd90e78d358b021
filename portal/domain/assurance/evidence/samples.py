"""The kind samples: a share of intelligence documents, from the dip samples of the latest full months."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence.positions import PieceAtPosition, WholeForce
from portal.domain.assurance.evidence.shares import (
    Population,
    describe_share,
    parse_population,
    parse_threshold,
)
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.dip_samples.measures import MEASURES
from portal.domain.dip_samples.models import DipSample
from portal.domain.dip_samples.queries import SampleRatio, read_sample_facts, sum_samples
from portal.domain.dip_samples.statistics import FEWEST
from portal.domain.people.as_of import choose_known
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.platform import wording as say
from portal.platform.months import list_full_months

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
