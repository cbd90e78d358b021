"""Outcomes of attending an event and the reasons that go with them, in words."""

OUTCOME_WORDS = {"attended": "Attended", "part": "Attended in part", "absent": "Did not attend"}
OUTCOMES = tuple(OUTCOME_WORDS)
# Categories, never free text; files carry the keys, so a key is never renamed.
REASON_WORDS: dict[str, dict[str, str]] = {
    "attended": {},
    "part": {
        "came_late": "came too late",
        "left_early": "left early",
        "called_away": "called away to duty",
        "unwell": "was taken ill",
        "other": "other",
    },
    "absent": {
        "not_known": "not known",
        "duties": "kept by duty",
        "sick": "sick",
        "leave": "on leave",
        "transport": "could not get there",
        "other": "other",
    },
}


def describe_outcome(outcome: str, reason: str) -> str:
    """An outcome with its reason, such as "Did not attend: sick".

    >>> describe_outcome("absent", "sick"), describe_outcome("attended", "")
    ('Did not attend: sick', 'Attended')
    """
    words = REASON_WORDS[outcome].get(reason, "")
    return f"{OUTCOME_WORDS[outcome]}: {words}" if words else OUTCOME_WORDS[outcome]


def is_reason_of(outcome: str, reason: str) -> bool:
    """Whether this outcome goes with this reason: one from its list, and none where there is no list."""
    reasons = REASON_WORDS.get(outcome)
    return reasons is not None and (reason in reasons if reasons else reason == "")
