"""How each page of the assurance desk is reached, for the sweep; see ``places.py``.

The demo gives its actions in a fixed order: A-0008 is one of the recommendation intelligence-documents, and
its sergeant's own; the first decision is of e-learning.
"""

from tests.journeys.visiting import AUDITOR, MANAGER, OWNER, Place

DESK = "/assurance/e-learning"
ASSURANCE: dict[str, Place] = {
    "assurance.add_action": Place((f"{DESK}/actions/new", f"{DESK}/actions/new?title=Look+at+it"), OWNER),
    "assurance.add_document": Place((f"{DESK}/evidence/new/document",), OWNER),
    "assurance.add_piece": Place(
        tuple(
            f"{DESK}/evidence/new/{kind}"
            for kind in ("figure", "acknowledgements", "attendance", "samples", "link")
        ),
        OWNER,
    ),
    "assurance.add_decision": Place((f"{DESK}/decisions/new",), OWNER),
    "assurance.assess_risk": Place((f"{DESK}/risk",), OWNER),
    "assurance.change_action": Place((f"{DESK}/actions/A-0001",), OWNER),
    "assurance.change_piece": Place((f"{DESK}/evidence/E-0001/change",), OWNER),
    "assurance.choose_kind": Place((f"{DESK}/evidence/new",), OWNER),
    "assurance.judge_recommendation": Place((f"{DESK}/judgement/new",), OWNER),
    "assurance.show_judgement": Place(
        (
            f"{DESK}/judgement",
            f"{DESK}/judgement?as_at=2026-05-31",
            "/assurance/intelligence-documents/judgement",
            f"{DESK}/judgement?as_at=someday",
        ),
        AUDITOR,
    ),
    "assurance.show_piece": Place(
        (
            f"{DESK}/evidence/E-0001",
            f"{DESK}/evidence/E-0001?as_at=2026-04-30&as_known_on=2026-04-30",
            "/assurance/plan/evidence/E-0005",
            f"{DESK}/evidence/E-0001?as_at=someday",
        ),
        AUDITOR,
    ),
    "assurance.sign_statement": Place((f"{DESK}/evidence/new/statement",), OWNER),
    "assurance.withdraw_piece": Place((f"{DESK}/evidence/E-0001/withdraw",), OWNER),
    "assurance.change_owner": Place((f"{DESK}/owner",), OWNER),
    "assurance.correct_decision": Place((f"{DESK}/decisions/1",), OWNER),
    "assurance.report_action": Place(("/assurance/mine/A-0008",), MANAGER),
    "assurance.show_board": Place(("/assurance", "/assurance?as_at=2026-04-30"), AUDITOR),
    "assurance.show_history": Place(
        (f"{DESK}/history", f"{DESK}/history?as_at=2026-04-30&as_known_on=2026-04-30"), AUDITOR
    ),
    "assurance.show_own_work": Place(("/assurance/mine",), MANAGER),
    "assurance.show_recommendation": Place(
        (DESK, f"{DESK}?as_at=2026-04-30&as_known_on=2026-04-30", f"{DESK}?as_at=someday"), AUDITOR
    ),
}
