"""What the fictional force did about the four recommendations, day by day. All of it is invented."""

from datetime import date, timedelta
from typing import NamedTuple

from portal.features.assurance.services import DecisionDetails, RiskDetails

MODULES, HYDRA, DOCUMENTS, PLAN = "e-learning", "hydra", "intelligence-documents", "plan"
OWNER, COMMANDER, SERGEANT, FACILITATOR = "D4001", "D2002", "D2001", "D5001"


class OwnerStep(NamedTuple):
    """A recommendation is given to a person."""

    entered_on: date
    key: str
    owner: str
    from_on: date


class ActionStep(NamedTuple):
    """An action is added, or, where its name is known already, changed."""

    entered_on: date
    key: str
    name: str  # in this story
    state: str
    title: str = ""  # of a new one
    owner: str = ""
    due_on: date | None = None
    waits_for: tuple[str, ...] = ()  # names in this story
    reason: str = ""  # of a change
    from_on: date | None = None  # None: the day on which it is entered


class RecentStep(NamedTuple):
    """A step of the last months, in days before or after the day on which the demo is made."""

    days_ago: int
    due_in: int | None  # days; below 0: it is late; None: it has no due date, or is changed
    step: ActionStep  # its days are not used


class DecisionStep(NamedTuple):
    """A decision is recorded, or the last one of its recommendation corrected."""

    entered_on: date
    key: str
    from_on: date
    details: DecisionDetails
    corrects: bool = False


class RiskStep(NamedTuple):
    """The risk of a recommendation is assessed."""

    entered_on: date
    key: str
    details: RiskDetails


OWNERS = (
    OwnerStep(date(2025, 9, 8), MODULES, OWNER, date(2025, 9, 8)),
    OwnerStep(date(2025, 9, 8), HYDRA, OWNER, date(2025, 9, 8)),
    OwnerStep(date(2025, 9, 15), DOCUMENTS, COMMANDER, date(2025, 9, 15)),
    OwnerStep(date(2025, 10, 20), PLAN, COMMANDER, date(2025, 10, 6)),
    OwnerStep(date(2026, 2, 16), PLAN, OWNER, date(2026, 2, 16)),
)
ACTIONS = (
    ActionStep(
        date(2025, 9, 8), MODULES, "directive", "done", "Issue a directive that requires the four modules",
        OWNER,
    ),
    ActionStep(
        date(2025, 9, 22), MODULES, "time", "open", "Give every shift protected time for the modules",
        COMMANDER, date(2026, 3, 31), ("directive",),
    ),
    ActionStep(
        date(2025, 10, 6), MODULES, "report", "under_way", "Show completion by unit to the board each month",
        OWNER, waits_for=("directive",),
    ),
    ActionStep(
        date(2026, 1, 20), MODULES, "time", "under_way", reason="Two of five commands have changed rosters."
    ),
    ActionStep(
        date(2026, 5, 6), MODULES, "time", "done", reason="Every command has. This was entered late.",
        from_on=date(2026, 4, 14),
    ),
    ActionStep(
        date(2025, 9, 29), HYDRA, "suite", "open", "Equip a Hydra suite at headquarters", FACILITATOR,
        date(2026, 2, 28),
    ),
    ActionStep(
        date(2025, 10, 13), HYDRA, "facilitators", "open", "Have six facilitators ready", FACILITATOR,
        date(2026, 3, 31), ("suite",),
    ),
    ActionStep(
        date(2025, 10, 13), HYDRA, "dates", "open", "Offer a place to every supervisor in scope", OWNER,
        date(2026, 4, 30), ("facilitators", "suite"),
    ),
    ActionStep(date(2026, 3, 11), HYDRA, "suite", "done", reason="The suite was handed over today."),
    ActionStep(
        date(2026, 4, 20), HYDRA, "facilitators", "under_way", reason="Four of six have run an exercise."
    ),
    ActionStep(
        date(2025, 10, 1), DOCUMENTS, "guidance", "open", "Write guidance on intelligence referrals",
        COMMANDER, date(2025, 11, 30),
    ),
    ActionStep(
        date(2025, 10, 1), DOCUMENTS, "checklist", "open", "Publish a checklist of the document’s contents",
        COMMANDER, date(2026, 1, 31), ("guidance",),
    ),
    ActionStep(
        date(2025, 10, 1), DOCUMENTS, "samples", "open", "Have supervisors dip-sample documents every month",
        SERGEANT, date(2026, 2, 28), ("checklist",),
    ),
    ActionStep(
        date(2025, 10, 8), DOCUMENTS, "counts", "open", "Ask another agency for its monthly counts",
        COMMANDER, date(2026, 3, 31),
    ),
    ActionStep(date(2025, 11, 24), DOCUMENTS, "guidance", "done", reason="The guidance was published."),
    ActionStep(date(2026, 1, 19), DOCUMENTS, "checklist", "done", reason="It is a guide in the portal."),
    ActionStep(date(2026, 2, 2), DOCUMENTS, "samples", "under_way", reason="Three commands have begun."),
    ActionStep(
        date(2026, 3, 9), DOCUMENTS, "counts", "dropped", reason="The force’s own log of contacts has them."
    ),
    ActionStep(
        date(2025, 10, 20), PLAN, "sharing", "open", "Agree with the regional unit what is shared, and when",
        COMMANDER, date(2025, 12, 31),
    ),
    ActionStep(
        date(2025, 10, 20), PLAN, "briefed", "open", "Brief every team on the plan", COMMANDER,
        date(2025, 12, 31), ("sharing",),
    ),
    ActionStep(date(2026, 2, 16), PLAN, "sharing", "done", reason="The memorandum is signed."),
    ActionStep(date(2026, 2, 17), PLAN, "briefed", "under_way", reason="Two commands are briefed."),
    ActionStep(
        date(2026, 6, 8), PLAN, "briefed", "done", reason="The last command was briefed on 4 June.",
        from_on=date(2026, 6, 4),
    ),
    ActionStep(date(2026, 6, 10), MODULES, "report", "done", reason="The board has had it three times."),
    ActionStep(date(2026, 6, 22), HYDRA, "facilitators", "done", reason="All six have run an exercise."),
    ActionStep(date(2026, 7, 6), DOCUMENTS, "samples", "done", reason="Every command has begun."),
    ActionStep(
        date(2026, 9, 21), HYDRA, "dates", "done", reason="Everybody in scope has been offered a place."
    ),
)  # fmt: skip
_UNUSED = date.min
RECENT = (
    RecentStep(
        112, -19,
        ActionStep(
            _UNUSED, MODULES, "joiners", "open", "Plan time for the modules into the first month of joiners",
            COMMANDER,
        ),
    ),
    RecentStep(
        75, 24,
        ActionStep(
            _UNUSED, HYDRA, "missed", "open", "Offer a second date to those who missed theirs", FACILITATOR
        ),
    ),
    RecentStep(
        61, 52,
        ActionStep(
            _UNUSED, DOCUMENTS, "discussed", "open", "Go through the samples with each command", COMMANDER
        ),
    ),
    RecentStep(
        52, None,
        ActionStep(_UNUSED, MODULES, "joiners", "under_way", reason="Three of five commands do so."),
    ),
    RecentStep(
        40, 13, ActionStep(_UNUSED, PLAN, "review", "open", "Review the plan, and send it to be read", OWNER)
    ),
    RecentStep(
        40, None,
        ActionStep(
            _UNUSED, PLAN, "told", "open", "Tell every team what has changed in the plan", COMMANDER,
            waits_for=("review",),
        ),
    ),
    RecentStep(
        30, None, ActionStep(_UNUSED, HYDRA, "missed", "under_way", reason="Half of them have a date.")
    ),
    RecentStep(3, None, ActionStep(_UNUSED, PLAN, "review", "under_way", reason="One part is rewritten.")),
)  # fmt: skip
DECISIONS = (
    DecisionStep(
        date(2025, 9, 22), MODULES, date(2025, 9, 22),
        DecisionDetails(
            "All four modules are required of six roles",
            "Completion is reported by unit. Exemptions are decided one by one, with a reason.",
            "Force board",
        ),
    ),
    DecisionStep(
        date(2026, 1, 12), HYDRA, date(2026, 1, 12),
        DecisionDetails(
            "Two supervisors of each shift are released for a date",
            "Duties are covered by the neighbouring shift.",
            "Learning and development board",
        ),
    ),
    DecisionStep(
        date(2026, 1, 19), HYDRA, date(2026, 1, 12),
        DecisionDetails(
            "Three supervisors of each shift are released for a date",
            "Duties are covered by the neighbouring shift. The minutes said three, not two.",
            "Learning and development board",
        ),
        corrects=True,
    ),
    DecisionStep(
        date(2026, 1, 26), DOCUMENTS, date(2026, 1, 26),
        DecisionDetails(
            "Dip samples are counts, without details of any case",
            "Each supervisor samples up to ten documents a month against the checklist.",
            "Intelligence governance meeting",
        ),
    ),
    DecisionStep(
        date(2026, 2, 20), PLAN, date(2026, 2, 16),
        DecisionDetails(
            "The plan has one owner from now on",
            "It had moved between two departments since October.",
            "Force board",
        ),
    ),
)  # fmt: skip
RISKS = (
    RiskStep(date(2025, 10, 6), MODULES, RiskDetails(3, 3, "Response shifts find no time for the modules.")),
    RiskStep(date(2026, 4, 21), MODULES, RiskDetails(2, 3, "People who join after the deadline are missed.")),
    RiskStep(date(2025, 10, 13), HYDRA, RiskDetails(4, 4, "One suite cannot take every supervisor in time.")),
    RiskStep(
        date(2025, 10, 8),
        DOCUMENTS,
        RiskDetails(3, 4, "Reports by telephone are not followed up."),
    ),
    RiskStep(date(2026, 1, 5), PLAN, RiskDetails(4, 3, "What the region is sent is not agreed yet.")),
    RiskStep(date(2026, 6, 9), PLAN, RiskDetails(2, 3, "People who have not read it do not ask for it all.")),
    RiskStep(
        date(2026, 9, 22), HYDRA, RiskDetails(3, 3, "People who miss their date wait long for another.")
    ),
)


def list_action_steps(today: date) -> list[ActionStep]:
    """Every step of the actions, the earliest first, for a demo that is made on a day."""
    recent = [
        each.step._replace(
            entered_on=today - timedelta(days=each.days_ago),
            due_on=None if each.due_in is None else today + timedelta(days=each.due_in),
        )
        for each in RECENT
    ]
    return sorted([*ACTIONS, *recent], key=lambda step: step.entered_on)
