"""A share of people that evidence shows: of whom, how many at least, and how it is said."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from portal.domain.assurance.desk import EvidenceSnapshot
from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.people.queries import COMMAND_LINE
from portal.domain.reports.answers import group_words
from portal.domain.reports.known_values import accept_filters
from portal.domain.reports.parameters import EVERYONE, Filters, Position, split_values
from portal.domain.reports.statistics import Share
from portal.domain.reports.viewer_scope import ViewerScope
from portal.platform import wording as say

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

    Raises:
        EntryRefusedError: It is none from 1 to 100 with at most one decimal place.

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
