"""How each page of the assurance desk is reached, for the sweep; see ``places.py``.

The demo has a plan that was published as its first version, and a second that D4001 is writing.
"""

from tests.journeys.visiting import AUDITOR, MANAGER, OWNER, Place

PLAN = "/assurance/plan"
ASSURANCE: dict[str, Place] = {
    "assurance.show_board": Place(("/assurance", "/assurance?as_at=2026-04-30"), AUDITOR),
    "assurance.show_plan": Place(
        (
            f"{PLAN}/document",
            f"{PLAN}/document?as_at=2026-04-30",
            f"{PLAN}/document?as_at=someday",
        ),
        OWNER,
    ),
    "assurance.show_plan_proposal": Place((f"{PLAN}/proposals/1", f"{PLAN}/proposals/2"), AUDITOR),
    "assurance.show_recommendation": Place((PLAN, f"{PLAN}?as_at=2026-04-30"), AUDITOR),
    "assurance.write_next_plan": Place((f"{PLAN}/draft",), OWNER),
    "assurance.write_plan_section": Place(
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
