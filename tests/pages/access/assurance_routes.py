"""Whose data each route of the assurance desk shows: the force's, and of people the names of owners alone.

Every view holder sees the whole force, so those names too.
"""

from tests.pages.access.shown import NOBODY, OWN

ASSURANCE_ROUTES: dict[str, str] = {
    "assurance.add_action": NOBODY,
    "assurance.add_decision": NOBODY,
    "assurance.assess_risk": NOBODY,
    "assurance.change_action": NOBODY,
    "assurance.change_owner": NOBODY,
    "assurance.correct_decision": NOBODY,
    "assurance.report_action": OWN,
    "assurance.show_board": NOBODY,
    "assurance.show_history": NOBODY,
    "assurance.show_own_work": OWN,
    "assurance.show_recommendation": NOBODY,
    "assurance.take_decision_back": NOBODY,
}
