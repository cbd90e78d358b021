"""The manifest of the force's plan."""

from portal.feature import ActText, DemoStep, DeskSource, Feature, Part
from portal.features.assurance.feature import CONFIRM

_DESK = "assurance"  # the group of acts on the force's answer

FEATURE = Feature(
    name="force_plan",
    title="The force’s plan to collect, analyse and share",
    needs=("assurance",),
    blueprints=("views:bp",),
    models="models",
    # Auditors, too, who begin with a date.
    desk=(DeskSource("exercises", CONFIRM, "", "views:find_plans", name="plans"),),
    parts=(
        Part("assurance.pane", "views:show_pane"),
        Part("assurance.plan_faults", "services:list_plan_faults"),
        Part("guides.force_settings", "services:list_planned_settings"),
    ),
    acts={
        "plan.begun": ActText(_DESK, "Began version {number} of the force’s plan"),
        "plan.section_saved": ActText(_DESK, "Wrote “{section}” of the force’s plan"),
        "plan.proposed": ActText(_DESK, "Proposed version {number} of the force’s plan"),
        "plan.published": ActText(_DESK, "Published version {number} of the force’s plan"),
        "plan.sent_back": ActText(_DESK, "Sent back what was proposed for the force’s plan"),
        "plan.withdrawn": ActText(_DESK, "Withdrew what was proposed for the force’s plan"),
    },
    kept_forms={"force_plan.publish_next_plan": "publish the force’s plan"},
    personal_data="personal_data:TABLES",
    demo=(
        DemoStep("history", "plan", "exclusions", "demo:schedule_plan"),
        DemoStep("history", "reading", "people", "demo:schedule_reading"),
    ),
)
