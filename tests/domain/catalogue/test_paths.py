"""A person's path through a module: by rule for every post, and as authors write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalogue import services
from portal.domain.catalogue.paths import choose_path, format_parts, read_parts
from portal.domain.people.staff_numbers import DUTIES, PostNames, duties_of_posts
from tests.domain.catalogue.folders import sample, write

LESSONS = [f"lesson-{number}" for number in range(1, 9)]
POSTS = st.lists(
    st.builds(
        PostNames,
        st.sampled_from(["response", "contact", "investigation", "custody", "neighbourhood", "finance"]),
        st.sampled_from(["Constable", "Sergeant", "Police Staff", "Chief Inspector"]),
    ),
    max_size=3,
)


@st.composite
def parts(draw):
    """Practice lessons and paths by duty, as a module that the check accepts may have them."""
    practice = draw(st.lists(st.sampled_from(LESSONS), max_size=3, unique=True))
    others = [key for key in LESSONS if key not in practice]
    groups = draw(st.lists(st.sampled_from(DUTIES), max_size=5, unique=True))
    if not groups:
        return practice, []
    cut = draw(st.integers(1, len(groups)))
    some = st.lists(st.sampled_from(others), max_size=3, unique=True)
    own = st.lists(st.sampled_from(others), min_size=1, max_size=3, unique=True)
    paths = [{"for": names, "lessons": draw(own)} for names in (groups[:cut], groups[cut:]) if names]
    return practice, [*paths, {"for": [], "lessons": draw(some)}]


@given(parts(), POSTS)
def test_every_post_has_one_path_in_the_order_of_the_module(module, posts):
    practice, paths = module
    duties = duties_of_posts(posts, {})

    path = choose_path(LESSONS, practice, paths, duties)

    own = next((p["lessons"] for p in paths if not p["for"] or set(p["for"]) & set(duties)), [])
    for_some = {key for each in paths for key in each["lessons"]}
    assert path == [key for key in LESSONS if key in path]
    assert set(own) <= set(path)
    assert set(path) & for_some == set(own)
    assert set(LESSONS) - for_some - set(practice) <= set(path)
    assert not set(path) & set(practice)


@given(parts(), POSTS)
def test_what_an_author_reads_says_the_same(module, posts):
    practice, paths = module

    again, paths_again = read_parts(format_parts(practice, paths))

    one_duty = [post for post in posts[:1] if len(duties_of_posts([post], {})) < 2]
    duties = duties_of_posts(one_duty, {})
    assert again == practice
    assert choose_path(LESSONS, again, paths_again, duties) == choose_path(LESSONS, practice, paths, duties)


@pytest.mark.parametrize("line", ["lesson-1", "lesson-1: drivers", "lesson-1:", "contact"])
def test_a_line_that_says_nothing_is_refused(line):
    with pytest.raises(ValueError, match="is not a lesson’s name, a colon and whom it is for"):
        read_parts(line)


MODULE = sample()["sample/module.toml"]


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        ('practice = ["third"]\n', "“third” is not in the list of lessons"),
        ('practice = ["first", "second"]\n', "No lesson on the path covers the outcome"),
        (
            'practice = ["second"]\n\n[[by_duty]]\nlessons = ["second"]\n',
            "“second” is practice, so it is on nobody’s path",
        ),
        ('\n[[by_duty]]\nfor = ["contact"]\nlessons = ["second"]\n', "has no “for”"),
        ('\n[[by_duty]]\nfor = ["drivers"]\nlessons = ["second"]\n', "“drivers” is not a duty"),
        (
            '\n[[by_duty]]\nfor = ["contact"]\n\n[[by_duty]]\nlessons = []\n',
            "Name the lessons of these duties",
        ),
        (
            '\n[[by_duty]]\nfor = ["contact"]\nlessons = ["second"]\n\n[[by_duty]]\nfor = ["contact"]\n'
            'lessons = ["first"]\n\n[[by_duty]]\nlessons = []\n',
            "The duty “contact” is named twice",
        ),
    ],
)
def test_what_no_learner_could_follow_is_refused(tmp_path, added, fault):
    head, bracket, rest = MODULE.partition("\n[[")
    keys, _, tables = added.partition("\n[[")
    text = f"{head}\n{keys}{bracket}{rest}" + (f"\n[[{tables}" if tables else "")

    faults = services.check_folder(write(tmp_path, {"sample/module.toml": text})).faults.sentences()

    assert any(fault in each for each in faults), faults
