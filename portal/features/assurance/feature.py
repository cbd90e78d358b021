"""The manifest of the assurance desk."""

from portal.feature import (
    ActText,
    ContentFolder,
    DemoStep,
    DeskSource,
    Feature,
    MailKind,
    MenuItem,
    Part,
    PermissionGrant,
)
from portal.platform.permissions import Permission, Role

VIEW = Permission("assurance:desk:view")
MANAGE = Permission("assurance:desk:manage")  # actions, evidence, judgements
CONFIRM = Permission("assurance:judgement:confirm")

_DESK = "assurance"  # the group of acts on the force's answer

FEATURE = Feature(
    name="assurance",
    title="Assurance: what an inspection asked, and where the force stands",
    needs=("dip_samples",),
    blueprints=("views:bp", "commands:bp"),
    models="models",
    tasks=("evidence_kinds:TASKS",),
    permissions={
        VIEW: PermissionGrant(
            frozenset({Role.DIRECTIVE_OWNER, Role.AUDITOR, Role.ADMINISTRATOR}), whole_force=True
        ),
        MANAGE: PermissionGrant(frozenset({Role.DIRECTIVE_OWNER}), whole_force=True),
        CONFIRM: PermissionGrant(frozenset({Role.DIRECTIVE_OWNER, Role.AUDITOR}), whole_force=True),
    },
    navigation=(
        MenuItem(
            "Monitoring",
            "Directives",
            "Assurance",
            "/assurance",
            VIEW,
            "What the inspection asks, and where the force stands",
        ),
    ),
    desk=(
        # Auditors, too, who begin with a date.
        DeskSource("drafts", CONFIRM, "", "parts:find_judgements", name="judgements"),
        DeskSource("judgements", MANAGE, "", "parts:find_sent_back", name="judgements sent back"),
        # Whoever owns one, with or without a role.
        DeskSource("force details", Permission.ACCOUNT_OWN, "", "parts:find_actions", name="actions"),
    ),
    parts=(
        Part("dip_samples.action", "parts:address_of_new_action", MANAGE),
        Part("events.figures", "parts:note_on_attendance", VIEW),
        Part("learning.home", "parts:find_actions"),
    ),
    acts={
        "assurance.board_exported": ActText(
            "files", "Downloaded the assurance board as at {as_at} ({format})"
        ),
        "narrative.written": ActText(
            _DESK, "Wrote the narrative of the recommendation {recommendation}, from {from_on}"
        ),
        "recommendation.published": ActText(
            _DESK, "Published version {number} of the recommendation {recommendation}"
        ),
        "recommendation.given": ActText(
            _DESK, "Changed who owns the recommendation {recommendation}, from {since}"
        ),
        "assurance_action.added": ActText(
            _DESK, "Added action {reference} to {recommendation}, from {since}"
        ),
        "assurance_action.changed": ActText(_DESK, "Changed action {reference}, from {since}"),
        "assurance_decision.recorded": ActText(_DESK, "Recorded a decision of {since} on {recommendation}"),
        "assurance_decision.corrected": ActText(
            _DESK, "Corrected a decision on the recommendation {recommendation}"
        ),
        "assurance_decision.taken_back": ActText(
            _DESK, "Took back a decision on the recommendation {recommendation}"
        ),
        "evidence.added": ActText(_DESK, "Added evidence {evidence} to {recommendation}: {kind}"),
        "evidence.changed": ActText(_DESK, "Changed evidence {evidence}"),
        "evidence.withdrawn": ActText(_DESK, "Withdrew evidence {evidence}"),
        "evidence.downloaded": ActText(_DESK, "Downloaded the document {digest}, which is evidence"),
        "evidence.links_checked": ActText(
            _DESK, "Asked pages that are evidence: {pages}, of which {broken} did not answer"
        ),
        "judgement.made": ActText(_DESK, "Judged the recommendation {recommendation}: {state}"),
        "judgement.confirmed": ActText(_DESK, "Confirmed the judgement of {recommendation}: {state}"),
        "judgement.sent_back": ActText(_DESK, "Sent back the judgement of {recommendation}: {state}"),
        "judgement.withdrawn": ActText(_DESK, "Withdrew the judgement of {recommendation}: {state}"),
        "risk.assessed": ActText(
            _DESK, "Assessed the risk of the recommendation {recommendation}, from {since}"
        ),
    },
    mails=(
        MailKind(
            "evidence_stale",
            "mails:compose_evidence_mail",
            "Evidence or a plan that needs attention",
            title="Evidence or a plan that needs attention",
            plan="mails:queue_evidence_mails",
            after="queue_review_mails",
        ),
    ),
    content=(ContentFolder("recommendations", "event_types", "recommendations:publish_folder"),),
    kept_forms={
        "assurance.sign_statement": "sign a statement",
    },
    personal_data="personal_data:TABLES",
    not_personal={
        "action_dependency": "which action waits for which",
        "assurance_action": "actions by their references",
        "evidence": "pieces of evidence by their references",
        "evidence_link_check": "whether pages that are evidence answer",
        "recommendation": "recommendations by their keys",
    },
    references="personal_data:REFERENCES",
    long_pages=("/assurance",),
    demo=(
        DemoStep("content", "recommendations", "modules", "demo.desk:publish_recommendations"),
        DemoStep("history", "assurance", "people", "demo.desk:schedule_desk"),
        DemoStep("history", "evidence", "assurance", "demo.evidence:schedule_evidence"),
        DemoStep("history", "narratives", "returns", "demo.narratives:schedule_narratives"),
    ),
)
