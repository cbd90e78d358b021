"""How old the law behind a page is: said below it, and asked for."""

import pytest

from portal.domain.catalogue import services
from tests.domain.catalogue.folders import SOURCES, lesson, write

PACE = "Police and Criminal Evidence Act 1984"


def sources(*acts: tuple[str, str, str]) -> str:
    """Sources with these numbers, titles and further keys."""
    entry = (
        '\n[[source]]\nnumber = "{}"\ntitle = "{}"\npublisher = "legislation.gov.uk"\nkind = "primary"\n'
        "checked_on = 2026-11-27\ntestable = true\n{}\n"
    )
    return SOURCES + "".join(entry.format(*act) for act in acts)


def check(folder, body: str, numbers: str, *acts: tuple[str, str, str]):
    """Check the sample module with this lesson and these sources."""
    text = lesson(body).replace("minutes = 2\n", f"minutes = 2\nsources = [{numbers}]\n")
    files = {"_sources.toml": sources(*acts), "sample/lessons/second.md": text}
    return services.check_folder(write(folder, files))


def html_of(reading) -> str:
    """The second lesson as it is published."""
    return reading.modules[0].lessons[1].html


def test_the_oldest_text_is_named_below_the_page(tmp_path):
    reading = check(
        tmp_path,
        "Section 46 lasts.\n",
        '"122", "161"',
        ("122", f"{PACE}, section 17", "text_as_at = 2026-04-07"),
        ("161", "Children Act 1989, section 46", 'text_as_at = 2025-01-02\ncheck_live = "section 46"'),
    )

    note = html_of(reading).rpartition("<p")[2]
    assert "as at 2 January 2025, the date of the oldest text that was read: Children Act 1989." in note
    assert "Check on legislation.gov.uk before you rely on it: section 46." in note


def test_a_copy_without_a_date_is_named_unless_another_of_the_act_has_one(tmp_path):
    reading = check(
        tmp_path,
        "Section 46 lasts.\n",
        '"108", "122", "161"',
        ("108", f"{PACE}, Code C", "undated = true"),
        ("122", f"{PACE}, section 17", "text_as_at = 2026-04-07"),
        ("161", "Children Act 1989, section 46", "undated = true"),
    )

    assert "Read in a copy without a date: Children Act 1989." in html_of(reading)


def test_a_page_that_rests_on_no_act_has_no_note(tmp_path):
    assert "legislation" not in html_of(check(tmp_path, "Give them water.\n", '"1", "practice"'))


@pytest.mark.parametrize(
    ("body", "numbers", "more", "fault"),
    [
        pytest.param("It lasts.", '"122"', "", "“122” is an Act without a date", id="no-date"),
        pytest.param("PACE says so.", '"1"', "undated = true", f"names the {PACE}", id="named-as-pace"),
        pytest.param(
            f"The {PACE} says so.", '"1"', "undated = true", f"names the {PACE}", id="named-in-full"
        ),
        pytest.param(
            "It lasts.", '"122"', "undated = true\ntext_as_at = 2026-04-07", "exclude each other", id="both"
        ),
    ],
)
def test_what_is_missing_is_asked_for(tmp_path, body, numbers, more, fault):
    reading = check(tmp_path, f"{body}\n", numbers, ("122", f"{PACE}, section 17", more))

    assert any(fault in each for each in reading.faults.sentences())


def test_an_act_that_a_source_names_may_be_named(tmp_path):
    reading = check(
        tmp_path, f"See the {PACE}.\n", '"122"', ("122", f"{PACE}, section 17", "text_as_at = 2026-04-07")
    )

    assert not reading.faults.sentences()
