"""How each page of the assurance desk is reached, for the sweep; see ``places.py``.

The demo adds its actions in a fixed order: A-0016 is its owner’s own, and open; decision 1 is of e-learning.
It has a plan that was published as its first version, and a second that D4001 is writing.
"""

from tests.journeys.visiting import AUDITOR, MANAGER, OWNER, Place

DESK, PLAN = "/assurance/e-learning", "/assurance/plan"
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
    "assurance.show_narrative": Place(
        (
            f"{DESK}/narrative",
            f"{DESK}/narrative?as_at=2026-04-30&as_known_on=2026-04-30",
            f"{DESK}/narrative?as_at=someday",
        ),
        OWNER,
    ),
    "packs.show_packs": Place((f"{DESK}/pack", f"{DESK}/pack?as_at=2026-04-30"), AUDITOR),
    "packs.show_packs_of_all": Place(("/assurance/pack", "/assurance/pack?as_at=2026-04-30"), AUDITOR),
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
    "assurance.report_action": Place(("/assurance/mine/A-0016",), OWNER),
    "assurance.show_board": Place(("/assurance", "/assurance?as_at=2026-04-30"), AUDITOR),
    "assurance.show_history": Place(
        (f"{DESK}/history", f"{DESK}/history?as_at=2026-04-30&as_known_on=2026-04-30"), AUDITOR
    ),
    "assurance.show_own_work": Place(("/assurance/mine",), OWNER),
    "force_plan.show_plan": Place(
        (
            f"{PLAN}/document",
            f"{PLAN}/document?as_at=2026-04-30",
            f"{PLAN}/document?as_at=someday",
        ),
        OWNER,
    ),
    "force_plan.show_plan_proposal": Place((f"{PLAN}/proposals/1", f"{PLAN}/proposals/2"), AUDITOR),
    "assurance.show_recommendation": Place(
        (DESK, PLAN, f"{DESK}?as_at=2026-04-30&as_known_on=2026-04-30", f"{DESK}?as_at=someday"), AUDITOR
    ),
    "force_plan.write_next_plan": Place((f"{PLAN}/draft",), OWNER),
    "force_plan.write_plan_section": Place(
        (
            f"{PLAN}/draft/share",
            f"{PLAN}/draft/collect",
            f"{PLAN}/draft/shown",
        ),
        OWNER,
    ),
    "dip_samples.show_samples": Place(
        ("/dip-samples", "/dip-samples?measure=complete&months=12", "/dip-samples?as_at=2026-04-30"), MANAGER
    ),
    "dip_samples.show_sample": Place(("/dip-samples/4/2026-04",), MANAGER),
    "dip_samples.show_sample_figures": Place(
        ("/dip-samples/figures", "/dip-samples/figures?measure=returned&months=24&as_at=2026-04-30"), OWNER
    ),
    "dip_samples.import_file": Place(("/dip-samples/import",), MANAGER),
    "dip_samples.record_counts": Place(("/dip-samples/record", "/dip-samples/record?month=2026-04"), MANAGER),
}
