"""Facts that a later transaction will record, given to the projector and to previews as a value.

Ids that the database has still to assign are placeholders, and so is the stamp. Whoever writes the rows that
were computed from such facts maps the placeholders to real ids.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import NamedTuple

from portal.domain.directives.audience import AudienceVersion, PostFact, UnitFact
from portal.domain.directives.minimum_versions import MinimumVersionRule

ALL_KNOWN = datetime.max.replace(tzinfo=UTC)  # an instant on which everything is known, pending facts too
FIRST_PLACEHOLDER = 2**62  # above all real ids: of two records on one day the lower id counts
NEW_DIRECTIVE, NEW_VERSION = FIRST_PLACEHOLDER, FIRST_PLACEHOLDER + 1  # of a version that is to be issued


def number_placeholders() -> Iterator[int]:
    """Placeholders for ids, no two of them equal, whatever table they are for."""
    return count(FIRST_PLACEHOLDER)


class PendingRecord(NamedTuple):
    """A record that is to be written."""

    placeholder: int
    activity_id: int
    achieved_on: date


@dataclass(frozen=True, slots=True)
class PendingFacts:
    """Facts that are not recorded yet."""

    posts: Mapping[int, Sequence[PostFact]] = field(default_factory=dict)  # by person
    records: Mapping[int, Sequence[PendingRecord]] = field(default_factory=dict)  # by person
    states: Sequence[UnitFact] = ()
    versions: Sequence[AudienceVersion] = ()
    minimums: Sequence[MinimumVersionRule] = ()


NOTHING_PENDING = PendingFacts()
