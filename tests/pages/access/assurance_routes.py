"""Whose data each route of the assurance desk shows: the force's, and of people the names of owners alone.

Every view holder sees the whole force, so those names too.
"""

from tests.pages.access.shown import NOBODY

ASSURANCE_ROUTES: dict[str, str] = {
    "assurance.begin_next_plan": NOBODY,
    "assurance.publish_next_plan": NOBODY,
    "assurance.send_next_plan_back": NOBODY,
    "assurance.show_board": NOBODY,
    "assurance.show_plan": NOBODY,
    "assurance.show_plan_proposal": NOBODY,
    "assurance.show_recommendation": NOBODY,
    "assurance.withdraw_next_plan": NOBODY,
    "assurance.write_next_plan": NOBODY,
    "assurance.write_plan_section": NOBODY,
}
