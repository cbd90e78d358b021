"""The register in words: the current state of a person, and how many are in the room."""

from collections.abc import Mapping, Sequence

from portal.domain.events.models import AttendanceOutcome
from portal.domain.events.register.merging import HeadCount, RegisterState
from portal.domain.events.register.queries import RegisterEvent, RegisterPerson
from portal.domain.events.sign_off.reasons import describe_outcome
from portal.platform.clock import london_time
from portal.platform.wording import date, plural

BUTTONS = {"present": "Present", "late": "Late", "left_early": "Left early", "not_here": "Not here"}
_MEANS = {"code": ", by code", "staff_number": ", by staff number", "register": ""}
MOST_HEADS = 999


def describe_state(state: RegisterState | None, outcome: AttendanceOutcome | None = None) -> str:
    """What the register says of a person, in a few words; how they were signed off goes before any entry."""
    if outcome is not None:
        return f"Signed off: {describe_signed_off(outcome)}"
    if state is None:
        return "Not noted yet"
    at = london_time(state.noted_at)
    if state.is_here:
        arrival = "Here" if state.kind == "present" else "Came late, here"
        return f"{arrival} since {london_time(state.came_at or state.noted_at)}{_MEANS[state.came_by]}"
    return f"Left early at {at}" if state.kind == "left_early" else f"Not here at {at}"


def describe_signed_off(outcome: AttendanceOutcome) -> str:
    """How a person was signed off, within a sentence."""
    return describe_outcome(outcome.outcome, outcome.reason).lower()


def describe_heads(count: HeadCount, people: int, signed_off: int) -> str:
    """How many are in the room, by which means they came, and how many are signed off."""
    done = f" {plural(signed_off, 'person is', 'people are')} signed off." if signed_off else ""
    if not count.here:
        return f"Nobody is here yet, of {plural(people, 'person', 'people')} with a place.{done}"
    return (
        f"{count.here} of {plural(people, 'person', 'people')} here: {count.by_code} by code, "
        f"{count.by_staff_number} by staff number, {count.by_register} by your entries.{done}"
    )


def compare_heads(count: HeadCount, heads: int) -> str:
    """Compare the facilitator's count of heads with the register, in a sentence."""
    if heads == count.here:
        return f"You counted {heads}, as the register says."
    if heads > count.here:
        uncounted = plural(heads - count.here, "person", "people")
        return f"You counted {heads}, the register says {count.here}: {uncounted} in the room not noted."
    surplus = plural(count.here - heads, "person", "people")
    return (
        f"You counted {heads}, the register says {count.here}: {surplus} noted and not in the room. "
        "Look first at people signed in by code, and enter “Not here”."
    )


def read_heads(text: str) -> int | None:
    """Read the number of heads that a facilitator counted; None: the text is no such number."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MOST_HEADS))
    return int(text) if is_number and int(text) <= MOST_HEADS else None


def when_and_where(event: RegisterEvent) -> str:
    """The date, the times and the place of an event."""
    times = f"{london_time(event.starts_at)} to {london_time(event.ends_at)}"
    return f"{date(event.held_on)}, {times}, {event.room}"


def group_by_syndicate(people: Sequence[RegisterPerson]) -> Mapping[str, list[RegisterPerson]]:
    """The people of each syndicate, in order, under its name; first those in none."""
    groups: dict[str, list[RegisterPerson]] = {}
    for person in people:
        name = f"Syndicate {person.syndicate}" if person.syndicate else "In no syndicate"
        groups.setdefault(name, []).append(person)
    return groups
