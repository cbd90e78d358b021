"""Labels of requests and decisions."""

from datetime import date

from portal.domain.directives.exclusions import REASON_WORDS as EXCLUSION_REASONS
from portal.domain.records.descriptions import REASON_WORDS as RECORD_REASONS
from portal.platform.db import OPEN_END
from portal.platform.wording import date as say_date

KIND_WORDS = {
    "exemption": "Exemption",
    "deferral": "Deferral",
    "waiver": "Prior learning",
    "revocation": "Correction of a pass",
    "lift": "End of an exemption or deferral",
    "restore": "Pass to count again",
}
STATE_WORDS = {
    "waiting": "Waiting",
    "granted": "Granted",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
}
REASONS: dict[str, dict[str, str]] = {
    "exemption": EXCLUSION_REASONS,
    "deferral": EXCLUSION_REASONS,
    "lift": {
        "returned_early": "back earlier than expected",
        "role_changed": "the role or post changed",
        "recorded_in_error": "recorded in error",
        "other": "other",
    },
    **RECORD_REASONS,
}


def reason_label(kind: str, key: str) -> str:
    """The label of a reason category."""
    return REASONS[kind].get(key, key.replace("_", " "))


def until_words(last: date | None) -> str:
    """The last day in words."""
    return "with no end date" if last is None or last == OPEN_END else f"until {say_date(last)}"


def short_title(title: str) -> str:
    """The part of a title before its colon."""
    return title.partition(":")[0]


def request_title(kind: str, directive: str, title: str, *, exempt: bool = True) -> str:
    """The title of a request.

    >>> request_title("exemption", "OIC-2026", "")
    'Exemption from OIC-2026'
    """
    return {
        "exemption": f"Exemption from {directive}",
        "deferral": f"Deferral under {directive}",
        "waiver": f"Prior learning for {short_title(title)}",
        "revocation": f"Stop counting {short_title(title)}",
        "lift": f"End of the {'exemption from' if exempt else 'deferral under'} {directive}",
        "restore": f"Count {short_title(title)} again",
    }[kind]
