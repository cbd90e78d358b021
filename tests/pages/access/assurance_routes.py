"""Whose data each route of the assurance desk shows: the force's, and of people the names of owners alone.

Every view holder sees the whole force, so those names too.
"""

from tests.pages.access.shown import NOBODY

ASSURANCE_ROUTES: dict[str, str] = {
    "assurance.show_board": NOBODY,
    "assurance.show_recommendation": NOBODY,
}
