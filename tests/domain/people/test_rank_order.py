"""Ranks stand in the order that the police has them, however a roster writes them."""

import pytest

from portal.domain.people.staff_numbers import sort_ranks


@pytest.mark.parametrize(
    "ranks",
    [
        ["Special Constable", "Constable", "Sergeant", "Inspector", "Chief Inspector"],
        ["Superintendent", "Chief Superintendent", "Assistant Chief Constable", "Chief Constable"],
        ["PC", "PS", "Insp", "DCI", "Supt", "ACC", "DCC", "CC"],
        ["Detective Constable", "Acting Sergeant", "Temporary Inspector", "Detective Superintendent"],
        ["Special Constable", "Police Constable", "Special Sergeant", "Sergeant"],
        ["Inspector", "Administrator", "PCSO", "Police Staff"],
    ],
    ids=["lower", "higher", "short", "with a word before", "specials", "staff last"],
)
def test_ranks_are_sorted_from_the_lowest_and_staff_grades_follow_by_name(ranks: list[str]) -> None:
    assert sort_ranks(reversed(ranks)) == ranks
    assert sort_ranks([*ranks, *ranks]) == ranks
