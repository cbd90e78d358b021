"""The plan as a guide shows what was typed, and what it makes lessons show."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalogue.other_sources import check_guides, html_words
from portal.domain.catalogue.source_files import SharedContent
from portal.features.force_plan.services import (
    clean_answer,
    parse_template,
    plan_template,
    shown_values,
    write_plan_guide,
)
from portal.platform.errors import BadInputError
from portal.platform.formats.toml_tables import Faults
from tests.features.force_plan.factories import answer_all

MARCH, NEXT = date(2026, 3, 3), date(2027, 3, 3)
SETTINGS = 300  # characters that the form of the force's details takes


def render(answers: dict[str, str]) -> str:
    content = write_plan_guide(plan_template(), answers, number=2, from_on=MARCH, review_on=NEXT)
    faults = Faults()
    guides = check_guides({"force-plan.md": content}, SharedContent(), faults)
    assert faults.sentences() == []
    return guides[0].html


def test_the_guide_has_each_answer_under_its_question_and_says_its_day() -> None:
    html = render(answer_all(arrival="Ask first:\n- who waits\n- where\nThen the rest.", looked_for=""))

    assert '<h2 class="govuk-heading-m" id="part-what-we-collect">What we collect</h2>' in html
    assert "<li>who waits</li>\n<li>where</li>" in html
    assert "Version 2 of the plan, from 3 March 2026." in html
    assert "What they look for" not in html


@given(st.text(max_size=200), st.sampled_from(["line", "lines"]))
def test_whatever_is_typed_is_shown_as_it_was_typed(typed: str, kind: str) -> None:
    answer = clean_answer(typed, kind)
    html = render(answer_all(**{"rocu" if kind == "lines" else "in_one_line": f"Begin {answer} end"}))

    assert "{{" not in html
    bare = "Begin " + " ".join(answer.replace("\n- ", "\n").split()) + " end"
    marks = str.maketrans("", "", "-*•{} \xa0")
    assert bare.translate(marks) in html_words(html).translate(marks)


@pytest.mark.parametrize(
    "typed",
    [
        "[[force.nccu_contact]]",
        "{{force:nccu_contact}}",
        "{{{{force:nccu_contact}}}}",
        "<script>alert(1)</script>",
        "::: inset",
        "+++",
        "    code",
        "# Heading",
        "[who](term:NCCU)",
        "1. one",
        "| a | b |\n|---|---|",
    ],
)
def test_no_answer_is_read_as_markup(typed: str) -> None:
    html = render(answer_all(rocu=clean_answer(typed, "lines")))

    assert "{{" not in html
    assert "<script" not in html
    assert "<table" not in html
    shown, first = "".join(html_words(html).split()), "".join(typed.split("\n")[0].split())
    assert shown.count(first) == 1


def test_settings_get_the_answers_and_the_plan_its_day() -> None:
    values = shown_values(plan_template(), answer_all(regional_contact=""), MARCH)

    assert values["sharing_plan"] == (
        "ask who waits, where and in what (the whole plan, of 3 March 2026, is under Guides)"
    )
    assert values["intelligence_route"] == "Where the intelligence document is sent: as team W says"
    assert "regional_contact" not in values


def test_the_longest_answers_fit_the_settings_that_they_fill() -> None:
    longest = {each.key: "w" * each.most for each in plan_template().questions}
    day = date(2026, 9, 30)

    assert all(len(value) <= SETTINGS for value in shown_values(plan_template(), longest, day).values())


def test_the_template_has_what_the_guide_names() -> None:
    assert {"owner", "in_one_line"} <= {each.key for each in plan_template().questions if each.required}
    assert plan_template().settings["sharing_plan"].key == "in_one_line"


def test_a_template_with_faults_is_refused_with_their_lines() -> None:
    with pytest.raises(BadInputError) as refused:
        parse_template(b'[[section]]\nkey = "a"\ntitle = "A"\nabout = "B"\nremark = "C"\n')

    assert any("“remark” is not a known key" in reason for reason in refused.value.reasons)
    assert any("“[[milestone]]” is missing" in reason for reason in refused.value.reasons)
