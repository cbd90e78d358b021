"""A return is checked as its receiver does it: schema, signature, period, definitions and sums."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.features.returns import building
from portal.features.returns.building import CheckedReturn, check_return, read_claimed_force
from portal.features.returns.content import (
    DEFINITIONS,
    FORCE,
    RANK,
    ROLE,
    ReturnContent,
    ReturnCount,
    list_sum_faults,
)
from tests.features.returns.making import REQUIREMENT, make_content, public_key, sign

CAME = date(2026, 5, 6)
KEYS = {7: public_key(1), 8: public_key(2)}


def check(content: bytes, on: date = CAME, force: str = "northmere") -> CheckedReturn:
    return check_return(content, KEYS, on, force=force)


def test_a_genuine_return_passes_whichever_way_it_is_laid_out() -> None:
    content = make_content()
    file = sign(content, seed=2)

    checked = check(file)
    other = check(json.dumps(json.loads(file), indent=4).encode())

    assert (checked.faults, checked.content, checked.key_id) == ((), content, 8)
    assert (other.has_passed, other.key_id) == (True, 8)
    assert read_claimed_force(file) == "northmere"


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["figures"][0].update(complete=31),
        lambda document: document.update(period="2026-03", as_at="2026-03-31"),
        lambda document: document["force"].update(name="Northmere Police"),
        lambda document: document["signature"].update(value="A" * 86 + "=="),
    ],
)
def test_whatever_is_changed_after_signing_is_noticed(change: Any) -> None:
    document = json.loads(sign(make_content()))
    change(document)

    assert check(json.dumps(document).encode()).faults_of(building.SIGNATURE)


def test_the_key_that_a_file_names_itself_proves_nothing() -> None:
    checked = check(sign(make_content(), seed=3))

    assert checked.key_id is None
    assert "No key that this force had" in checked.sentences[0]


def test_a_force_cannot_sign_for_another() -> None:
    assert check(sign(make_content()), force="southmere").faults_of(building.SIGNATURE)


@pytest.mark.parametrize(
    ("changes", "on", "words"),
    [
        ({"as_at": "2026-04-29"}, CAME, "not the last day"),
        ({}, date(2026, 4, 30), "has not ended"),
        ({"as_known_on": "2026-04-29T08:00:00Z"}, CAME, "before its period ended"),
        ({"number": 2}, CAME, "does not say why"),
    ],
)
def test_its_period_has_ended_and_a_correction_says_why(
    changes: dict[str, Any], on: date, words: str
) -> None:
    faults = check(sign(make_content(**changes)), on).faults_of(building.PERIOD)

    assert faults is not None
    assert words in faults[0]


def test_each_different_definition_is_named() -> None:
    (term, _), *others = DEFINITIONS
    changed = make_content(definitions=((term, "Whoever we counted."), *others[1:], ("Score", "Points.")))

    faults = check(sign(changed)).faults_of(building.MEANINGS)

    assert faults == [
        "“Excluded” is not defined.",
        "“Assigned” means something else here.",
        "“Score” is not a term that returns use.",
    ]


@pytest.mark.parametrize(
    "file",
    [b"", b"\xff", b"[]", b"{}", b"[" * 100_000, b'{"a": 1, "a": 2}', b'{"format": "\\ud800"}', b"9" * 5_000],
)
def test_what_is_no_return_is_refused_in_a_sentence(file: bytes) -> None:
    checked = check(file)

    assert checked.content is None
    assert checked.faults_of(building.SCHEMA)
    assert checked.faults_of(building.SUMS) is None


COUNT = st.integers(0, 40)


@st.composite
def consistent_contents(draw: st.DrawFn) -> ReturnContent:
    """Returns whose groups add up to the force."""
    counts: list[ReturnCount] = []
    roles = draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4, unique=True))
    people = {role: draw(st.tuples(COUNT, COUNT, COUNT)) for role in roles}
    for requirement in ("", REQUIREMENT):
        lines = [(role, sum(three), three[0], three[1]) for role, three in people.items()]
        total = [sum(numbers) for numbers in zip(*(line[1:] for line in lines), strict=True)]
        counts += [ReturnCount(requirement, FORCE, "", total[0], total[1], total[2])]
        counts += [ReturnCount(requirement, ROLE, *line) for line in lines]
        counts += [ReturnCount(requirement, RANK, "Constable", total[0], total[1], total[2])]
    return make_content(counts=tuple(counts))


@given(consistent_contents())
def test_counts_that_add_up_pass(content: ReturnContent) -> None:
    assert list_sum_faults(content) == []
    assert check(sign(content)).has_passed


@given(consistent_contents(), st.data())
def test_one_number_that_is_off_is_found(content: ReturnContent, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(content.counts) - 1))
    name = data.draw(st.sampled_from(["assigned", "excluded", "complete"]))
    off = data.draw(st.integers(1, 5))
    counts = list(content.counts)
    counts[place] = replace(counts[place], **{name: getattr(counts[place], name) + off})

    assert list_sum_faults(replace(content, counts=tuple(counts)))


@given(consistent_contents(), st.data())
def test_a_count_that_is_missing_or_twice_is_found(content: ReturnContent, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(content.counts) - 1))
    taken, left = content.counts[place], content.counts[:place] + content.counts[place + 1 :]

    assert list_sum_faults(replace(content, counts=(*content.counts, taken)))
    if any(taken.numbers):
        assert list_sum_faults(replace(content, counts=left))


def test_a_hidden_number_needs_a_small_number_and_small_ones_are_then_refused() -> None:
    content = make_content(counts=tuple(replace(count, excluded=0) for count in make_content().counts))
    hidden = tuple(replace(count, complete=None) if count.group else count for count in content.counts)
    low = (replace(content.counts[0], complete=4), *hidden[1:])

    unsaid = list_sum_faults(replace(content, counts=hidden))
    said = list_sum_faults(replace(content, counts=hidden, small_number=5))
    shown = list_sum_faults(replace(content, counts=low, small_number=5))

    assert "says that none is hidden" in unsaid[0]
    assert said == []
    assert shown == ["the whole directive, the force: shows a number below 5."]


def test_hidden_numbers_that_add_up_to_a_small_one_are_refused() -> None:
    counts = (
        ReturnCount("", FORCE, "", 60, 0, 30),
        ReturnCount("", ROLE, "contact", 30, 0, None),
        ReturnCount("", ROLE, "response", 30, 0, 28),
        ReturnCount(REQUIREMENT, FORCE, "", 60, 0, 30),
    )

    faults = list_sum_faults(make_content(counts=counts, small_number=5))

    assert faults == ["the whole directive, role response: shows a number below 5."]
    counts = (counts[0], counts[1], replace(counts[2], assigned=60, complete=27), counts[3])
    faults = list_sum_faults(make_content(counts=counts, small_number=5))
    assert "the hidden complete add up to a number below 5" in " ".join(faults)
