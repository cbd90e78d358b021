"""The register merges to the same answer in any order, whatever comes twice and wherever it was noted."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from portal.features.events.register import (
    KINDS,
    MEANS,
    NotedEntry,
    RegisterState,
    count_heads,
    merge_entries,
)

START = datetime(2026, 6, 10, 8, 30, tzinfo=UTC)
ENTRIES = st.lists(
    st.builds(
        NotedEntry,
        key=st.integers(1, 10**6).map(lambda number: UUID(int=number)),
        person_id=st.integers(1, 3),
        kind=st.sampled_from(KINDS),
        noted_at=st.integers(0, 5).map(lambda number: START + timedelta(milliseconds=number)),
        means=st.sampled_from(MEANS),
    ),
    max_size=12,
    unique_by=lambda entry: entry.key,
)


def note(number: int, kind: str, minute: float, means: str = "register", person: int = 1) -> NotedEntry:
    return NotedEntry(UUID(int=number), person, kind, START + timedelta(minutes=minute), means)


@given(ENTRIES, st.randoms(use_true_random=False), st.data())
def test_any_order_and_repetition_of_entries_give_the_same_state(entries, random, data):
    twice = data.draw(st.lists(st.sampled_from(entries), max_size=5) if entries else st.just([]))
    shuffled = [*entries, *twice]
    random.shuffle(shuffled)

    assert merge_entries(shuffled) == merge_entries(entries)


@given(ENTRIES, st.data())
def test_two_devices_that_exchange_their_entries_agree(entries, data):
    ours = data.draw(st.lists(st.sampled_from(entries), unique=True) if entries else st.just([]))
    theirs = [entry for entry in entries if entry not in ours]

    assert merge_entries([*ours, *theirs]) == merge_entries([*theirs, *ours]) == merge_entries(entries)


@given(ENTRIES)
def test_the_entry_noted_last_counts(entries):
    merged = merge_entries(entries)

    assert merged.keys() == {entry.person_id for entry in entries}
    for person, presence in merged.items():
        last = max((e for e in entries if e.person_id == person), key=lambda e: (e.noted_at, e.key))
        assert (presence.kind, presence.noted_at) == (last.kind, last.noted_at)


@given(ENTRIES)
def test_each_person_here_came_by_one_means_and_heads_add_up(entries):
    merged = merge_entries(entries)
    heads = count_heads(merged)

    assert heads.here == heads.by_code + heads.by_staff_number + heads.by_register
    assert heads.here == sum(presence.is_here for presence in merged.values())
    assert all(presence.came_by in MEANS for presence in merged.values() if presence.is_here)


def test_of_two_noted_in_one_millisecond_the_higher_key_holds():
    first, second = note(2, "present", 0), note(1, "not_here", 0)

    assert merge_entries([first, second])[1].kind == merge_entries([second, first])[1].kind == "present"


def test_a_person_marked_not_here_who_then_comes_came_by_the_later_means():
    entries = [note(1, "present", 0, "code"), note(2, "not_here", 5), note(3, "late", 20, "staff_number")]

    merged = merge_entries(reversed(entries))[1]

    came_at = START + timedelta(minutes=20)
    assert merged == RegisterState("late", came_at, came_by="staff_number", came_at=came_at)


def test_a_person_who_left_early_keeps_how_they_came_and_is_not_counted():
    entries = [note(1, "present", 0, "code"), note(2, "left_early", 90), note(3, "present", 1, person=2)]

    merged = merge_entries(entries)

    assert (merged[1].kind, merged[1].came_by) == ("left_early", "code")
    assert count_heads(merged).here == count_heads(merged).by_register == 1
