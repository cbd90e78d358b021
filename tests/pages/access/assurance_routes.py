"""Whose data each route of the assurance desk shows: the force's, and of people the names of owners alone.

Every view holder sees the whole force, so those names too.
"""

from tests.pages.access.shown import NOBODY, OWN

ASSURANCE_ROUTES: dict[str, str] = {
    "assurance.add_action": NOBODY,
    "assurance.add_decision": NOBODY,
    "assurance.add_document": NOBODY,
    "assurance.add_piece": NOBODY,
    "assurance.assess_risk": NOBODY,
    "assurance.begin_next_plan": NOBODY,
    "assurance.change_action": NOBODY,
    "assurance.change_owner": NOBODY,
    "assurance.change_piece": NOBODY,
    "assurance.choose_kind": NOBODY,
    "assurance.confirm_judgement": NOBODY,
    "assurance.correct_decision": NOBODY,
    "assurance.download_document": NOBODY,
    "assurance.judge_recommendation": NOBODY,
    "assurance.publish_next_plan": NOBODY,
    "assurance.report_action": OWN,
    "assurance.send_judgement_back": NOBODY,
    "assurance.send_next_plan_back": NOBODY,
    "assurance.show_board": NOBODY,
    "assurance.show_history": NOBODY,
    "assurance.show_judgement": NOBODY,
    "assurance.show_own_work": OWN,
    "assurance.show_piece": NOBODY,
    "assurance.show_plan": NOBODY,
    "assurance.show_plan_proposal": NOBODY,
    "assurance.show_recommendation": NOBODY,
    "assurance.sign_statement": NOBODY,
    "assurance.take_decision_back": NOBODY,
    "assurance.withdraw_judgement": NOBODY,
    "assurance.withdraw_next_plan": NOBODY,
    "assurance.withdraw_piece": NOBODY,
    "assurance.write_next_plan": NOBODY,
    "assurance.write_plan_section": NOBODY,
}
