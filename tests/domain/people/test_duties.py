"""Which duties somebody has by their posts: the usual names, or those that the force wrote."""

import pytest

from portal.domain.people.staff_numbers import (
    DUTIES,
    SETTING,
    PostNames,
    duties_of_posts,
    names_of_duties,
    roles_without_duty,
)

RESPONSE = PostNames("response", "Constable")


@pytest.mark.parametrize(
    ("posts", "duties"),
    [
        pytest.param([], (), id="no post"),
        pytest.param([RESPONSE], ("response",), id="one post"),
        pytest.param([RESPONSE, PostNames("Custody ", "Staff")], ("response", "custody"), id="two posts"),
        pytest.param([PostNames("roads policing", "PC")], ("response",), id="a neighbouring role"),
        pytest.param(
            [PostNames("investigation", "Temporary Detective Inspector")],
            ("investigation", "supervisors"),
            id="a rank with prefixes",
        ),
        pytest.param([PostNames("finance", "Sergeant")], (), id="only the rank is known"),
        pytest.param(
            [RESPONSE, PostNames("finance", "Sergeant")],
            ("response", "supervisors"),
            id="rank of another post",
        ),
        pytest.param([PostNames("finance", "Staff")], (), id="an unknown role"),
    ],
)
def test_duties_are_the_union_over_posts(posts, duties):
    assert duties_of_posts(posts, {}) == duties


def test_a_force_names_its_roles_and_each_duty_by_itself():
    values = {
        SETTING + "contact": "Force Control Room\n  Despatch \n",
        SETTING + "supervisors": "Team leader",
    }

    assert names_of_duties(values)["contact"] == ("Force Control Room", "Despatch")
    assert duties_of_posts([PostNames("despatch", "Staff")], values) == ("contact",)
    assert duties_of_posts([PostNames("contact", "Sergeant")], values) == ()
    assert duties_of_posts([PostNames("custody", "Team Leader")], values) == ("custody", "supervisors")


def test_roles_that_are_in_no_duty_are_listed_whatever_the_rank():
    posts = [
        RESPONSE,
        PostNames("finance", "Sergeant"),
        PostNames("finance", "Staff"),
        PostNames("audit", ""),
    ]

    assert roles_without_duty(posts, {}) == ["audit", "finance"]


def test_every_duty_has_usual_names():
    assert list(names_of_duties({})) == list(DUTIES)
    assert all(names_of_duties({}).values())
