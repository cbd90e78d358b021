"""References are random, readable, and refuse a slip of the pen."""

import re

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.records.services import new_reference, normalise_reference

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_a_reference_has_its_shape_and_none_comes_twice():
    drawn = [new_reference() for _ in range(500)]

    assert len(set(drawn)) == 500
    for reference in drawn:
        assert re.fullmatch(rf"OIC-[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}-[{ALPHABET}]", reference)
        assert normalise_reference(reference) == reference


def test_it_is_read_however_it_was_typed():
    reference = new_reference()

    assert normalise_reference(reference.lower()) == reference
    assert normalise_reference(f" {reference.replace('-', ' ')} ") == reference
    assert normalise_reference(reference.replace("0", "O").replace("1", "l")) == reference


@given(st.integers(0, 8), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(place, character):
    reference = new_reference()
    packed = list(reference.replace("-", "")[3:])
    if packed[place] == character:
        return
    packed[place] = character

    assert normalise_reference("OIC" + "".join(packed)) is None


@given(st.integers(0, 6))
def test_two_neighbours_swapped_are_noticed(place):
    packed = list(new_reference().replace("-", "")[3:])
    if packed[place] == packed[place + 1]:
        return
    packed[place], packed[place + 1] = packed[place + 1], packed[place]

    assert normalise_reference("OIC" + "".join(packed)) is None


@given(st.text(max_size=20))
def test_other_text_is_no_reference(text):
    found = normalise_reference(text)

    assert found is None or normalise_reference(found) == found
    assert normalise_reference("") is None
    assert normalise_reference("OIC-0000-0000-1") is None
