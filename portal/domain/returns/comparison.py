"""The comparison of a month: what a force may see of the others, signed by the coordinating unit.

It names no force. It has the share of each force alone, in whole per cent and in rising order, because a
number of people would identify a force by its size. It is not made of few forces: each could be guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.domain.returns.content import DEFINITIONS, WHOLE_DIRECTIVE
from portal.domain.returns.national import (
    NationalFigures,
    list_requirements,
    name_requirements,
    read_national,
)
from portal.domain.returns.schema import Schema, list_schema_faults
from portal.platform.clock import format_utc
from portal.platform.errors import BadInputError, NotFoundError, RuleError
from portal.platform.signing.documents import is_genuine, read_document

COMPARISON_FORMAT = "oic-comparison/1"
FEWEST_FORCES = 10  # with a share, in each part of a comparison
WHOLE_TITLE = "The whole directive"
_DAY = "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"
_COUNT = {"type": "integer", "minimum": 0, "maximum": 10_000_000}
_LINE = {"type": "string", "minLength": 1, "maxLength": 2_000, "pattern": "^[^\\x00-\\x1f\\x7f]*$"}


def _make_object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


COMPARISON_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "description": "The shares of all forces in one month without their names, signed.",
    **_make_object(
        format={"const": COMPARISON_FORMAT},
        period={"type": "string", "pattern": "^20[0-9]{2}-(?:0[1-9]|1[0-2])$"},
        as_at={"type": "string", "pattern": _DAY},
        as_known_on={"type": "string", "pattern": "^20[0-9T:.-]{17,25}Z$"},
        asked=_COUNT,
        returned=_COUNT,
        definitions={
            "type": "array",
            "items": _make_object(term=_LINE, meaning=_LINE),
            "minItems": 1,
            "maxItems": 100,
        },
        requirements={
            "type": "array",
            "items": _make_object(
                key={"type": "string", "pattern": "^(?:[a-z]+:[a-z0-9-]{1,60})?$"},
                title=_LINE,
                complete=_COUNT,
                counted=_COUNT,
                shares={
                    "description": "Of each force, in whole per cent, cut; in rising order.",
                    "type": "array",
                    "items": {"type": "integer", "minimum": 0, "maximum": 100},
                    "minItems": FEWEST_FORCES,
                    "maxItems": 1_000,
                },
            ),
            "minItems": 1,
            "maxItems": 100,
        },
        signature=_make_object(
            algorithm={"const": "Ed25519"},
            public_key={"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"},
            value={"type": "string", "pattern": "^[A-Za-z0-9+/]{86}==$"},
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class ComparedRequirement:
    """The shares of all forces under one requirement, without their names."""

    key: str  # kind and key; "" for the whole directive
    title: str
    whole: Share  # of all forces together
    shares: tuple[int, ...]  # whole per cent, rising

    def count_beside(self, own_share: Share) -> tuple[int, int]:
        """How many shares are lower than a force's own, and how many higher; its own is neither."""
        percent = 100 * own_share.done // own_share.total if own_share.total else 0
        return sum(share < percent for share in self.shares), sum(share > percent for share in self.shares)

    @property
    def quartiles(self) -> tuple[int, int, int]:
        """The lower quartile, the median and the upper quartile."""
        count = len(self.shares)
        return self.shares[count // 4], self.shares[count // 2], self.shares[3 * count // 4]


@dataclass(frozen=True, slots=True)
class ComparisonContent:
    """The content of a checked comparison."""

    period: str
    as_at: str
    as_known_on: str
    asked: int
    returned: int
    requirements: tuple[ComparedRequirement, ...]


def build_comparison(position: Position, small: int, period: str) -> dict[str, Any]:
    """Build the unsigned comparison of a month. The number of statements grows with requirements alone.

    Raises:
        NotFoundError: No returns were asked for of this month.
        RuleError: Too few forces have a figure.
    """
    whole = read_national(position, small, period=period, months=1)
    if not whole.months:
        raise NotFoundError("No returns were asked for of this month.")
    titles = {**name_requirements(whole.newest_month), WHOLE_DIRECTIVE: WHOLE_TITLE}
    figures_by_requirement = [
        whole
        if key == WHOLE_DIRECTIVE
        else read_national(position, small, period=period, requirement=key, months=1)
        for key in list_requirements(whole.newest_month)
    ]
    compared = [
        comparison
        for figures in figures_by_requirement
        if (comparison := _compare_shares(figures, titles.get(figures.requirement, figures.requirement)))
    ]
    if not compared:
        raise RuleError(
            f"Fewer than {FEWEST_FORCES} forces have a figure for this month. A comparison of so few would "
            "say who they are."
        )
    return {
        "format": COMPARISON_FORMAT,
        "period": period,
        "as_at": position.as_at.isoformat(),
        "as_known_on": format_utc(position.as_known_on),
        "asked": whole.newest_month.asked_count,
        "returned": whole.newest_month.returned_count,
        "definitions": [{"term": term, "meaning": meaning} for term, meaning in DEFINITIONS],
        "requirements": compared,
    }


def _compare_shares(figures: NationalFigures, title: str) -> dict[str, Any] | None:
    shares = [
        share for row in figures.newest_month.table.rows.values() if (share := row.share) and share.total
    ]
    if len(shares) < FEWEST_FORCES:
        return None
    whole = sum(shares, Share())
    return {
        "key": figures.requirement,
        "title": title,
        "complete": whole.done,
        "counted": whole.total,
        "shares": sorted(100 * share.done // share.total for share in shares),
    }


def read_comparison(content: bytes, public_key: str) -> ComparisonContent:
    """Check a comparison and read it.

    Args:
        content: The file.
        public_key: Of the coordinating unit, as this force knows it.

    Raises:
        BadInputError: The file is no comparison, or the coordinating unit did not sign it.
    """
    document = read_document(content)
    faults = list_schema_faults(document, COMPARISON_SCHEMA)
    if faults:
        raise BadInputError(faults)
    if not is_genuine(document, public_key):
        raise BadInputError(["The coordinating unit did not sign this file with the key that is set here."])
    if faults := list(_list_impossible_numbers(document["requirements"])):
        raise BadInputError(faults)
    return ComparisonContent(
        document["period"],
        document["as_at"],
        document["as_known_on"],
        document["asked"],
        document["returned"],
        tuple(
            ComparedRequirement(
                row["key"], row["title"], Share(row["complete"], row["counted"]), tuple(row["shares"])
            )
            for row in document["requirements"]
        ),
    )


def _list_impossible_numbers(requirements: Sequence[dict[str, Any]]) -> list[str]:
    """List requirements with more complete than counted, or with shares out of order."""
    return [
        f"The numbers of “{row['title']}” cannot all be true."
        for row in requirements
        if row["complete"] > row["counted"] or row["shares"] != sorted(row["shares"])
    ]
