"""What a form writes as an event type's file is read back as it was filled in."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalogue.other_sources import EVENT_TYPE_FILES, LONGEST, MOST_MINUTES, write_event_type

LINES = st.text(
    st.characters(exclude_categories=("C", "Zl", "Zp", "Zs")) | st.just(" "), min_size=1, max_size=100
)
TEXT = LINES.map(lambda text: " ".join(text.split())).filter(bool)


@st.composite
def ranges(draw):
    least = draw(st.integers(1, 20))
    return least, draw(st.integers(least, 40))


@given(
    texts=st.fixed_dictionaries(dict.fromkeys(LONGEST, TEXT)),
    minutes=st.integers(1, MOST_MINUTES),
    syndicate=ranges(),
    places=st.integers(1, 100),
    more=st.integers(40, 100),
    approval=st.booleans(),
    preparation=st.lists(st.sampled_from(["module:a", "guide:b-c", "module:d_e"]), unique=True),
    review_on=st.dates(date(2026, 1, 1), date(2060, 1, 1)),
)
def test_a_file_says_what_was_filled_in(
    texts, minutes, syndicate, places, more, approval, preparation, review_on
):
    values = {
        **texts,
        "minutes": minutes,
        "syndicate_least": syndicate[0],
        "syndicate_most": syndicate[1],
        "places_least": places,
        "places_most": places + more,
        "facilitators": 2,
        "approval": approval,
        "preparation": preparation,
        "review_on": review_on,
    }
    source = EVENT_TYPE_FILES.check_content("any-type", write_event_type(values))
    assert {name: getattr(source, name) for name in values} == values
    assert source.content == write_event_type(values)
