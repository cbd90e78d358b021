"""Whose data each route of the national view shows: numbers of forces, and nobody's."""

from tests.pages.access.shown import NOBODY

NATIONAL_ROUTES: dict[str, str] = dict.fromkeys(
    (
        "returns.show_national",
        "returns.show_variation",
        "returns.show_receipts",
        "returns.show_movement",
        "returns.national_csv",
        "returns.national_xlsx",
        "returns.national_json",
        "returns.comparison_json",
    ),
    NOBODY,
)
