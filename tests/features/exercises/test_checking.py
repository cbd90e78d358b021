"""Exercises as folders: what is rendered, and every fault with its file, line and what to do."""

import pytest

from portal.features.exercises.versions import check_exercise_folder
from tests.features.exercises.folders import CALL, CHOICE, EXERCISE, continuation, write_exercises


def list_faults(folder) -> list[str]:
    return check_exercise_folder(folder).faults.sentences()


def changed(path: str, text: str, old: str, new: str) -> dict[str, str]:
    assert old in text
    return {path: text.replace(old, new, 1)}


def exercise(old: str, new: str) -> dict[str, str]:
    return changed("exercise.toml", EXERCISE, old, new)


def call(old: str, new: str) -> dict[str, str]:
    return changed("injects/call.md", CALL, old, new)


def choice(old: str, new: str) -> dict[str, str]:
    return changed("injects/choice.md", CHOICE, old, new)


def test_what_a_run_needs_is_rendered_once(database, tmp_path):
    reading = check_exercise_folder(write_exercises(tmp_path))

    assert reading.faults.sentences() == []
    content = reading.exercises[0].content
    first, second, third, _ = content["injects"]
    assert content["briefing_html"] == '<p class="govuk-body">You are the supervisors of one night.</p>\n'
    assert (first["minute"], first["cue"], first["turning_point"]) == (0, "", False)
    assert "{{force:nccu_contact}}" in first["html"]
    assert "Let them decide" not in first["html"]
    assert "Let them decide" in first["facilitator_html"]
    assert "<li>1: A report, An inspectorate</li>" in first["facilitator_html"]
    assert first["questions"][0] == {
        "key": "first",
        "kind": "decision",
        "prompt_html": "<strong>Response supervisor:</strong> What do you do <em>now</em>?",
        "reason": True,
        "choices": [],
    }
    assert second["questions"][1]["choices"][0] == {"key": "air", "html": "Air"}
    assert (third["minute"], third["syndicates"]) == (None, [2, 1])
    assert third["cue"] == "After “Two ways”: They opened it"
    assert content["plenary"] == [{"key": "hard", "prompt_html": "What was hard?", "compares": ["first"]}]


def test_pictures_have_an_alternative_and_sound_has_captions_and_a_transcript(database, tmp_path):
    content = check_exercise_folder(write_exercises(tmp_path)).exercises[0].content
    picture, sound = content["injects"][0]["html"], content["injects"][1]["html"]

    assert 'src="/exercises/media/' in picture
    assert 'alt="A drawing"' in picture
    assert "A box stands in a lane." in picture
    assert 'kind="captions"' in sound
    assert "A voice: help us." in sound


FAULTS = [
    (exercise('title = "A', 'titel = "A'), "exercise.toml, line 1: “titel” is not a known key here"),
    (exercise('"door", "wait"', '"door"'), "injects/wait.md: exercise.toml does not name it"),
    (exercise('"wait"]', '"wait", "end"]'), "line 7: There is no injects/end.md. Add it"),
    (exercise('"wait"]', '"wait", "../x"]'), "line 7: There is no injects/../x.md."),
    (exercise('["Response supervisor"]', '["Response supervisor", "Contact"]'), "line 6: No question is for"),
    (exercise('["first"]', '["none"]'), "The prompt “hard” compares “none”, which is no question"),
    (exercise("minutes = 30", "minutes = 10"), "choice.md, line 3: The exercise ends at minute 10."),
    (exercise("minutes = 30", "minutes = 5000"), "line 5: An exercise lasts 1440 minutes at most."),
    ({"exercise.toml": None}, "exercise.toml: There is no such file."),
    ({"debrief.md": None}, "debrief.md: There is no such file, or nothing in it."),
    ({"briefing.md": " \n"}, "briefing.md: There is no such file, or nothing in it."),
    ({"notes.txt": "x"}, "“notes.txt” does not belong in an exercise."),
    ({"media/a/b.svg": "x"}, "“media/a/b.svg” does not belong in an exercise."),
    (call("minute = 0", "minute = 20"), "choice.md, line 3: The inject above it comes at minute 20."),
    (call("minute = 0\n", ""), "call.md, line 2: Give the inject a minute, or a cue"),
    (call("minute = 0", 'minute = 0\ncue = "Now"'), "line 3: Give the inject a minute, or a cue"),
    (call('["1", "practice"]', '["99"]'), "line 4: The source “99” is not in _sources.toml."),
    (call("supervisor", "officer"), "line 6: “Response officer” is not among the roles"),
    (call('"decision"', '"essay"'), "line 8: “essay” is not a kind of question. Use decision, choice"),
    (call("nccu_contact", "nobody"), "line 14: “[[force.nobody]]” is not in _force.toml."),
    (call("box.svg", "lane.svg"), "line 16: There is no media/lane.svg"),
    (call("## For the facilitator", "## For the facilitators"), "Write the heading “## For the facilitator”"),
    (call("(term:OIC)", "(term:none)"), "call.md, line 22: “none” is not in _glossary.toml."),
    (choice('key = "which"', 'key = "first"'), "The key “first” is used twice in the exercise."),
    (choice('key = "wait"', 'key = "open"'), "“open” is used twice. Give each choice"),
    (choice("turning_point = true\n", ""), "door.md, line 4: “choice” is not a turning point above"),
    (choice("A voice: help us.\n", ""), "Write a title, and below it the transcript"),
    (choice("::: figure media/call.wav\nThe call\n\nA voice: help us.\n:::\n", ""), "No text shows it"),
    ({"media/call.vtt": None}, "media/call.wav: Add captions beside it"),
    ({"injects/wait.md": continuation("Silence", "x").replace('after = "choice"\n', "")}, "needs 2 injects"),
    (
        {"injects/wait.md": continuation("Silence", "x").replace("[2, 1]", "[0]")},
        "wait.md, line 5: “syndicates” needs a list of whole numbers from 1",
    ),
    (
        {"injects/wait.md": continuation("Silence", "x").replace('cue = "x"', "minute = 12")},
        "wait.md, line 3: What continues a turning point is released by hand.",
    ),
]


@pytest.mark.parametrize(("changes", "said"), FAULTS, ids=[said[:60] for _, said in FAULTS])
def test_every_fault_names_its_file_its_line_and_what_to_do(database, tmp_path, changes, said):
    found = list_faults(write_exercises(tmp_path, changes))

    assert any(said in fault for fault in found), found


def test_nothing_of_the_facilitators_notes_is_shown_where_their_heading_is_wrong(database, tmp_path):
    folder = write_exercises(tmp_path, call("## For the facilitator", "# For the facilitator"))

    assert len(list_faults(folder)) == 1  # so it cannot be published


def test_links_and_files_beside_exercises_are_refused(database, tmp_path):
    folder = write_exercises(tmp_path)
    (folder / "loose.md").write_text("x")
    (folder / "short-night" / "media" / "out.svg").symlink_to("/etc/passwd")
    (folder / "other").symlink_to(folder / "short-night")

    found = list_faults(folder)

    assert (
        "loose.md: “loose.md” is not an exercise's folder. Take it out of the folder of exercises." in found
    )
    assert "short-night/media/out.svg: Links are not followed. Put the file itself here." in found
    assert "other: Links are not followed. Put the folder itself here." in found
