"""Statements of law: which sentences are some, and their sources."""

from pathlib import Path

import pytest

from portal.domain.catalogue import services
from portal.domain.catalogue.source_files import parse_shared
from portal.domain.content_checks.legal_statements import list_statements
from portal.platform.formats.toml_tables import Faults
from tests.domain.catalogue.folders import CHECK, ITEM, SOURCES, lesson, write

ACT = "Police and Criminal Evidence Act 1984"
LAW = SOURCES + "".join(
    f"""
[[source]]
number = "{number}"
title = "{title}"
publisher = "legislation.gov.uk"
kind = "primary"
checked_on = 2026-11-27
testable = true
text_as_at = 2026-04-07
"""
    for number, title in (
        ("122", f"{ACT}, sections 17 to 19 and 32"),
        ("161", "Children Act 1989, section 46"),
    )
)


def read(folder: Path, body: str, sources: str = ""):
    """The statements of the sample module with this lesson, and the folder's faults."""
    text = lesson(body).replace("minutes = 2\n", f"minutes = 2\n{sources}")
    reading = services.check_folder(write(folder, {"_sources.toml": LAW, "sample/lessons/second.md": text}))
    held = parse_shared(reading.shared, Faults()).sources
    statements = list_statements(reading.modules[0].package, held)
    return [each for each in statements if each.place.startswith("Lesson 2")], reading


@pytest.mark.parametrize(
    ("sentence", "listed"),
    [
        pytest.param("Section 46 lasts.", True, id="section"),
        pytest.param("You may open it by this power.", True, id="power"),
        pytest.param("Police have a duty to tell them.", True, id="duty"),
        pytest.param("It lasts up to 72 hours.", True, id="number"),
        pytest.param("It began in December 2018.", True, id="date"),
        pytest.param("An inspector says so first.", True, id="rank"),
        pytest.param("Give people water and warmth.", False, id="care"),
        pytest.param("It is 02:10 at the services.", False, id="clock"),
        pytest.param("The rule is as at 27 November 2026.", False, id="day-of-reading"),
    ],
)
def test_what_a_solicitor_reads(tmp_path, sentence, listed):
    statements, _ = read(tmp_path, f"Plain words come first. {sentence}\n")

    assert [each.text for each in statements] == ([sentence] if listed else [])


def test_sentences_rows_items_and_checks_are_statements_of_their_own(tmp_path):
    check = CHECK.replace('"So."', '"Section 46 says so."')
    body = (
        "## A duty\n\nYou must act. Rest\nafterwards.\n\n- One *duty*\n- Two\n\n"
        f"| Who | Rank |\n|---|---|\n| [A](lesson:first) | Inspector |\n\n{check}"
    )

    statements, _ = read(tmp_path, body)

    assert [(each.place, each.text) for each in statements] == [
        ("Lesson 2, A lesson", "You must act."),
        ("Lesson 2, A lesson", "One duty"),
        ("Lesson 2, A lesson", "A | Inspector"),
        ("Lesson 2, A lesson, check", "This | Section 46 says so."),
    ]


@pytest.mark.parametrize(
    ("named", "sentence", "sources"),
    [
        pytest.param(["122", "161"], f"The {ACT}, section 18(1), says so.", ["122"], id="act-and-section"),
        pytest.param(["122", "161"], "Section 46 says so.", ["161"], id="section-alone"),
        pytest.param(["122", "161"], "PACE says so.", ["122"], id="short-name"),
        pytest.param(["122", "161"], "It is a duty.", ["122", "161"], id="neither"),
        pytest.param([], "It is a duty.", ["1"], id="as-its-questions"),
    ],
)
def test_the_sources_of_a_sentence(tmp_path, named, sentence, sources):
    line = f"sources = {named}\n".replace("'", '"') if named else ""

    statements, reading = read(tmp_path, f"{sentence}\n", line)

    assert reading.faults.sentences() == []
    assert [list(each.sources) for each in statements] == [sources]


def test_a_source_that_is_not_in_the_list_is_a_fault(tmp_path):
    _, reading = read(tmp_path, "Read.\n", 'sources = ["122", "999"]\n')

    assert [str(fault) for fault in reading.faults.listed()] == [
        "sample/lessons/second.md, line 2: The source “999” is not in _sources.toml. Use one that is, or"
        " “practice”."
    ]


def test_retired_questions_are_left_out(tmp_path):
    retired = ITEM.format(key="old", outcome="see").replace("kind =", "retired = true\nkind =")
    bank = "".join(ITEM.format(key=key, outcome=o) for key, o in (("one", "see"), ("two", "say"))) + retired
    reading = services.check_folder(write(tmp_path, {"sample/items/bank.toml": bank}))

    places = {each.place for each in list_statements(reading.modules[0].package, {})}
    assert places == {"Question one"}  # “two” has the same words, and “old” is retired
