"""Fields of a narrative: unknown ones are refused, known ones are filled with text that is never markup."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.features.assurance.narratives import (
    NarrativeField,
    check_narrative,
    fill_html,
    fill_markdown,
    find_field_faults,
    render_narrative,
)
from portal.features.packs.contents import (
    ProseBlock,
    blocks_as_markdown,
    blocks_as_markup,
    lower_headings,
)

FIELDS = [
    NarrativeField("state", "whether it is met", "met"),
    NarrativeField("evidence:E-0001", "", "1 of 2"),
]
VALUES = {field.name: field.value for field in FIELDS}


def test_fields_are_filled_in_the_page_and_in_the_text():
    text = "## Where we are\n\nIt is **{{state}}**: {{ evidence:E-0001 }}."

    assert check_narrative(text, FIELDS) == []
    assert "<strong>met</strong>: 1 of 2." in render_narrative(text, VALUES)
    assert fill_markdown(text, VALUES) == "## Where we are\n\nIt is **met**: 1 of 2."


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("One\nTwo {{stat}}", "Line 2: there is no field {{stat}}"),
        ("{{evidence:E-0009}}", "Line 1: there is no field {{evidence:E-0009}}"),
        ("It is {{state", "Line 1: write each field on one line"),
        ("It is {{sta\nte}}", "Line 1: write each field on one line"),
        ("{{{{state}}}}", "write each field on one line"),
        ("[[force.control_room]]", "is not in _force.toml"),
        ("[more](/people)", "leads nowhere"),
        ("## One\n\n#### Three", "Line 3: This heading skips a level"),
        (" \n", "Write the answer in words"),
        ("a" * 20_001, "This has 20,001 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, fault):
    faults = check_narrative(text, FIELDS)

    assert any(fault in found for found in faults), faults


def test_evidence_that_was_not_known_at_the_position_is_said_to_be_missing():
    words = "[E-0002 was not on the desk at this time]"

    assert render_narrative("{{evidence:E-0002}}", VALUES) == f'<p class="govuk-body">{words}</p>\n'
    assert re.sub(r"\\", "", fill_markdown("{{evidence:E-0002}}", VALUES)) == words


@given(st.text())
def test_no_value_of_a_field_becomes_markup(value):
    assert "<" not in fill_html("{{state}}", {"state": value})
    filled = fill_markdown("{{state}}", {"state": value})
    assert "\n" not in filled
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>|#]", filled)


@given(st.text())
def test_a_text_without_faults_of_fields_leaves_no_brace_behind(text):
    if not find_field_faults(text, VALUES):
        assert "{{" not in fill_markdown(text, VALUES).replace("\\", "")


def test_headings_go_below_those_of_the_answer():
    prose = ProseBlock('<h2 class="x">One</h2><h3>Two</h3>', "# One\n\n```\n# no heading\n```\n\n## Two")

    assert "#heading(level: 4)" in blocks_as_markup([prose])
    assert "#heading(level: 5)" in blocks_as_markup([prose])
    assert blocks_as_markdown([prose]) == "#### One\n\n```\n# no heading\n```\n\n##### Two\n"
    assert lower_headings("no heading") == "no heading"
