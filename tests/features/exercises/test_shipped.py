"""The shipped exercise: two hours, three turning points, and decisions that only one desk can take."""

import re
from collections import Counter
from pathlib import Path

import pytest

from portal.features.exercises.checks import CheckedExercise, list_questions
from portal.features.exercises.versions import check_exercise_folder

EXERCISES = Path(__file__).resolve().parents[3] / "exercises"


@pytest.fixture
def night(database) -> CheckedExercise:
    reading = check_exercise_folder(EXERCISES)
    assert reading.faults.sentences() == []
    return reading.exercises[0]


def test_it_fills_two_hours_and_goes_three_different_ways(night):
    injects = night.text.injects
    turns = [inject.key for inject in injects if inject.turning_point]
    ways = Counter(inject.after for inject in injects if inject.after)

    assert night.text.minutes == 120
    assert len(injects) >= 14
    assert [ways[key] for key in turns] == [2, 2, 3]
    assert all(inject.minute is not None for inject in injects if not inject.after)
    assert 90 <= max(inject.minute or 0 for inject in injects) <= 97  # time is left for the plenary


def test_each_desk_decides_what_no_other_could(night):
    counts = Counter(question.role for _, question in list_questions(night.text))

    assert {role for role in counts if role} == {
        "Contact supervisor",
        "Response supervisor",
        "Investigation supervisor",
    }
    assert all(counts[role] >= 12 for role in night.text.roles)
    for inject in night.text.injects:
        if inject.minute is not None:
            assert inject.questions, f"{inject.key} asks nothing"


def test_every_choice_at_a_turning_point_leads_to_one_way_on(night):
    """Each choice is named in the facilitator's table or notes, and the notes name each inject to release."""
    titles = {inject.key: inject.title.partition(" – ")[2] for inject in night.text.injects}
    for turn in night.text.injects:
        if turn.turning_point:
            ways = [titles[inject.key] for inject in night.text.injects if inject.after == turn.key]
            assert all(f"“{title}”" in turn.notes for title in ways), turn.key


def test_the_story_names_nobody_and_no_place_that_exists(night):
    texts = "\n".join(content.decode() for path, content in night.text.files.items() if path.endswith(".md"))

    assert set(re.findall(r"\b[A-Z]{2}\d\d ?[A-Z]{3}\b", texts)) == {"WS00 KLT", "WS00 VNR"}
    assert not re.search(r"\b0\d{3,4} ?\d{3} ?\d{3,4}\b", texts)  # no telephone number
    assert "made up" in night.text.sheets["briefing.md"]


def test_pictures_have_an_alternative_in_words(night):
    shown = night.content["briefing_html"] + "".join(inject["html"] for inject in night.content["injects"])

    assert shown.count("<picture>") == shown.count("Read what this figure shows") == 3
    assert shown.count(".narrow.svg") == 3
