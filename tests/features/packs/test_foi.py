"""What an FOI edition shows of evidence: no name, no document, no number that could tell of a person."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portal.features.assurance.desk import EvidenceSnapshot, EvidenceState
from portal.features.assurance.models import EvidenceVersion
from portal.features.packs.contents import (
    PublishedNumbers,
    choose_frame,
    describe_suppression,
    hide_numbers,
)

SMALL = 5
PUBLISHED = PublishedNumbers({"OIC-2026": (241, 310)}, ("", 12))
WHOLE = {"directive": "OIC-2026", "requirement": ""}
EVERY_UNIT = {"months": 12}


def state_of(
    kind: str, reached: int | None = None, total: int | None = None, **more: object
) -> EvidenceState:
    shown = f"{reached} of {total} people are complete"
    return EvidenceState("E-0001", "Completed", kind, shown, reached, total, **more)  # type: ignore[arg-type]


def test_a_figure_is_shown_as_the_annex_rounds_it_and_nothing_tells_the_true_one():
    figure = state_of("figure", 243, 308, threshold=Decimal("0.78"))

    shown = hide_numbers(figure, WHOLE, PUBLISHED, SMALL)

    assert (shown.reached, shown.total) == (241, 310)
    assert shown.shown == "241 of 310 people are complete (77%)"
    assert shown.faults == ("77% is below the threshold of 78%.",)


def test_a_figure_of_others_that_happens_to_have_the_same_numbers_is_hidden():
    figure = state_of("figure", 241, 310)

    for definition in ({**WHOLE, "role": "response"}, {**WHOLE, "directive": "OIC-2025"}):
        assert hide_numbers(figure, definition, PUBLISHED, SMALL).reached is None
    for kind in ("acknowledgements", "attendance"):
        assert hide_numbers(state_of(kind, 241, 310), {"guide": "force-plan"}, PUBLISHED, SMALL).total is None


def test_counts_of_documents_are_of_the_widest_units_and_months_alone():
    definitions = ({"months": 12}, {"months": 3}, {"months": 24, "unit": "Crime"}, {"months": 12, "unit": ""})
    pieces = [
        EvidenceSnapshot("E-0001", EvidenceVersion(kind="samples", definition=each)) for each in definitions
    ]

    assert choose_frame(pieces) == ("", 12)
    assert choose_frame(pieces[2:3]) == ("Crime", 24)
    assert choose_frame([]) is None
    samples = state_of("samples", 217, 240)
    kept = [hide_numbers(samples, each, PUBLISHED, SMALL) == samples for each in definitions]
    assert kept == [True, False, False, True]


@given(st.integers(0, 400), st.integers(0, 400))
def test_no_other_figure_of_people_tells_a_number_or_whether_it_holds(reached, total):
    for kind in ("figure", "acknowledgements", "attendance"):
        part = {**WHOLE, "rank": "Sergeant"}
        bad = hide_numbers(state_of(kind, reached, total, faults=("Below",)), part, PUBLISHED, SMALL)
        good = hide_numbers(state_of(kind, reached, total), part, PUBLISHED, SMALL)
        assert bad == good
        assert (bad.reached, bad.total, bad.definition) == (None, None, ())
        assert not any(character.isdecimal() for character in bad.shown)


@given(st.integers(0, 40), st.integers(0, 40))
def test_small_counts_of_documents_are_hidden(reached, rest):
    samples = state_of("samples", reached, reached + rest)

    hidden = hide_numbers(samples, EVERY_UNIT, PUBLISHED, SMALL) != samples

    assert hidden == any(0 < part < SMALL for part in (reached, rest, reached + rest))


def test_documents_and_statements_are_left_out_and_links_kept():
    statement = state_of(
        "statement", definition=(("Statement", "We did."), ("Signed as", "Head of Crime")), digest="ab"
    )
    document = state_of("document", address="/assurance/documents/1", digest="cd")
    link = state_of("link", address="https://police.example/plan")

    for kept_back in (statement, document):
        shown = hide_numbers(kept_back, {}, PUBLISHED, SMALL)
        assert "not in this edition" in shown.shown
        assert (shown.definition, shown.address, shown.digest) == ((), "", "")
    assert hide_numbers(link, {}, PUBLISHED, SMALL) == link


def test_the_edition_says_how_much_is_hidden_and_why():
    hidden = hide_numbers(state_of("figure", 3, 9), {**WHOLE, "unit": "Crime"}, PUBLISHED, SMALL)

    words = " ".join(describe_suppression([hidden, state_of("figure", 241, 310)], SMALL))

    assert "[c] stands for what is hidden, in 1 of 2 pieces of evidence" in words
    assert "from 1 to 4 are hidden" in words
