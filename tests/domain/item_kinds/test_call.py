"""Calls: what was not asked is not known, typed facts are compared leniently, and faults name their line."""

import random

import pytest

from portal.domain.item_kinds import case_kinds_by_name, kinds_by_name
from portal.domain.item_kinds.base import Answer, AnswerError
from portal.domain.item_kinds.call import KIND, is_accepted
from portal.platform.formats.toml_tables import Faults, Source
from tests.domain.catalogue.kinds_written import CALL, Plain


def read(text: str) -> tuple[dict, list[str]]:
    faults = Faults()
    root = Source(text.replace("[[item.", "[["), "case.toml", faults).root()
    assert root is not None
    written = KIND.read_content(root, "case", "")
    root.close()
    sentences = faults.sentences()
    return ({} if sentences else KIND.render_content(written, Plain())), sentences


CONTENT = read(CALL)[0]
ORDER = KIND.shufflable_keys(CONTENT)
ASKED = ("who/ages", "lorry/plate")


def test_a_call_is_a_case_and_no_question():
    assert "call" in case_kinds_by_name()
    assert "call" not in kinds_by_name()


@pytest.mark.parametrize(
    ("way", "right"), [(ASKED, "age/claimed"), (("who/origin", "lorry/plate"), "age/unknown")]
)
def test_what_was_not_asked_is_right_as_not_known(way, right):
    for key in ("claimed", "adults", "unknown"):
        view = KIND.build_view(CONTENT, ORDER, Answer((*way, f"age/{key}"), {"count": "Nine"}))
        assert [field.right for field in view.fields] == [True, f"age/{key}" == right]
    assert view.fields[1].good_choice.step == right
    share = KIND.mark_answer(CONTENT, (*way, right))
    assert share == (1 if way == ASKED else share.from_float(0.6666).quantize(share))


def test_best_is_full_marks_and_random_is_complete():
    best = KIND.best_choices(CONTENT)
    assert best == [*ASKED, "age/claimed"]
    assert KIND.mark_answer(CONTENT, best) == 1
    assert KIND.is_complete(CONTENT, KIND.random_choices(CONTENT, random.Random(1)))
    assert not KIND.is_complete(CONTENT, best[:-1])


@pytest.mark.parametrize("text", ["9", " Nine ", "NINE."])
def test_a_fact_is_right_however_it_is_typed(text):
    assert is_accepted(text, ["9", "nine"])


@pytest.mark.parametrize("text", ["", "…", "99", "about nine"])
def test_any_other_fact_is_not(text):
    assert not is_accepted(text, ["9", "nine"])


def test_each_question_is_saved_before_the_fields_are_asked():
    first = KIND.read_answer(CONTENT, ORDER, {"choice": ["c.1"]})
    assert (first.choices, first.repeats_question) == (("who/ages",), True)
    second = KIND.read_answer(CONTENT, ORDER, {"way": ["c.1"], "choice": ["c.2"]})
    assert second.choices == ("who/ages", "lorry/colour")
    filled = {"way": ["c.1 c.2"], "answer-1": ["9"], "answer-2": ["c.1"]}
    assert KIND.read_answer(CONTENT, ORDER, filled) == Answer(
        (*second.choices, "age/claimed"), {"count": "9"}
    )
    with pytest.raises(AnswerError) as error:
        KIND.read_answer(CONTENT, ORDER, {"way": ["c.1 c.2"]})
    assert [place for _, place in error.value.problems] == ["answer-1", "answer-2"]
    assert error.value.typed.choices == second.choices


@pytest.mark.parametrize("form", [{"way": ["c.9"]}, {"way": ["ages"]}, {"choice": ["ages"]}, {}])
def test_what_is_not_offered_is_refused(form):
    with pytest.raises(AnswerError):
        KIND.read_answer(CONTENT, ORDER, form)


REFUSED = {
    "twice": ('key = "age"', 'key = "who"', "The key “who” is used twice in this call."),
    "needs": ('needs = "who/ages"', 'needs = "who/origin"', "“who/origin” is no right choice of a bit."),
    "unasked": ("unasked = true\n", "", "Mark exactly one choice unasked = true"),
    "alone": ('needs = "who/ages"\n', "", "A choice has unasked = true, but the field does not say"),
    "both": ("unasked = true", "unasked = true\ncorrect = true", "not both."),
    "accept": ('accept = ["9", "nine"]', "accept = []", "Name at least one answer that counts as right."),
    "kind": ('kind = "fact"', 'kind = "text"', "“text” is not a kind of field. Use choice or fact."),
    "good": ("correct = true", "correct = false", "In the bit “who” every choice is as good as the others."),
    "answer": ('answer = "Two say 16."\n', "", "“answer” is missing."),
    "unknown": ('label = "Ages"', 'label = "Ages"\nhint = "x"', "“hint” is not a known key here."),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_a_fault_says_what_is_wrong_and_where(case):
    old, new, reason = REFUSED[case]
    assert old in CALL
    sentences = read(CALL.replace(old, new, 1))[1]
    assert any(reason in sentence for sentence in sentences), sentences
    assert all("case.toml, line " in sentence for sentence in sentences)
