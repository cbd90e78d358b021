"""The plenary, as the facilitator and the room meet it on their pages."""

import csv
import hashlib
import io
import json
import zipfile

import pytest
from pypdf import PdfReader

from portal.features.exercises.debrief import list_actions
from portal.features.exercises.plenary import LONGEST, list_statements
from tests.features.exercises.room import (
    FACILITATOR,
    OUTSIDER,
    PRIYA,
    TOM,
    add_answer,
    add_step,
    begin_plenary,
    make_room,
)


@pytest.fixture
def room(app, database):
    return make_room(app)


STAGES = {
    "statements": "Let the room write statements",
    "reading": "Show the statements",
    "ranking": "Let the room rank them",
    "closed": "Show them with their points",
}


def move(room, browser, stage):
    if stage == "statements":
        begin_plenary(room)
    page = browser.page(room.path("/hard/lead"))
    return browser.press(page, STAGES[stage], stage=stage)


def write(room, browser, text, status=200):
    return browser.press(
        browser.page(room.path("/hard/statement")), "Send without your name", status, text=text
    )


def test_the_room_writes_groups_and_ranks(room):
    facilitator, priya, tom = (room.browser(who) for who in (FACILITATOR, PRIYA, TOM))
    move(room, facilitator, "statements")
    assert "Sent. Nobody can tell that it is yours." in write(room, priya, "We had no second car").text
    write(room, tom, "Nobody owned the log")
    write(room, tom, "nobody owned  the log")  # pressed twice, or written twice
    assert "Fewer than five statements so far." in facilitator.page(room.path("/hard/lead")).text
    assert "second car" not in tom.page(room.path()).text

    page = move(room, facilitator, "reading")
    keys = {one.text: str(one.key) for one in list_statements(room.run_id, "hard")}
    assert set(keys) == {"We had no second car", "Nobody owned the log"}
    facilitator.press(
        page, "Put into this group", act="group", chosen=keys["We had no second car"], theme="Resources"
    )
    assert "Resources" in tom.page(room.path()).text

    move(room, facilitator, "ranking")
    for browser in (priya, tom):
        form = browser.page(room.path("/hard/ranking"))
        assert (
            "Your choice is counted"
            in browser.press(form, "Send your choice", chosen=keys["Nobody owned the log"]).text
        )
    assert "points" not in tom.page(room.path()).text

    move(room, facilitator, "closed")
    assert "Nobody owned the log (2 points)" in tom.page(room.path()).text
    lead = facilitator.page(room.path("/hard/lead"))
    again = facilitator.press(lead, STAGES["ranking"], 409, stage="ranking")
    assert "The room has ranked these statements already." in again.text


def test_a_question_opens_in_the_plenary_and_only_closes_after_the_end(room):
    facilitator = room.browser(FACILITATOR)
    add_step(room, "start")
    lead = facilitator.page(room.path("/hard/lead"))
    assert "Begin the plenary first" in lead.text
    assert "Let the room write statements" not in lead.text
    move(room, facilitator, "statements")
    lead = facilitator.page(room.path("/hard/lead"))
    add_step(room, "back")
    early = facilitator.press(lead, STAGES["reading"], 409, stage="reading")
    assert "Begin the plenary first" in early.text
    add_step(room, "plenary")
    lead = facilitator.page(room.path("/hard/lead"))
    add_step(room, "end")
    late = facilitator.press(lead, STAGES["reading"], 409, stage="reading")
    assert "its questions can only be closed" in late.text
    closed = facilitator.press(facilitator.page(room.path("/hard/lead")), STAGES["closed"], stage="closed")
    assert "Ranked" in closed.text


def test_decisions_stand_side_by_side_with_their_minute_and_what_was_first_said(room):
    add_step(room, "start")
    first = add_answer(room, 1, "Hold the cordon", "Too few officers")
    add_answer(room, 1, "Send two officers in", "A call came in", corrects=first)
    tom = room.browser(TOM)
    assert tom.get(room.path("/decisions")).status_code == 404

    add_step(room, "plenary")
    page = tom.page(room.path("/decisions?inject=inject-1"))

    assert (
        "Syndicate 1 Send two officers in Because: A call came in First: Hold the cordon Minute 0"
        in page.text
    )
    assert "Syndicate 2 No answer" in page.text


def test_a_person_without_a_part_in_the_run_cannot_open_its_pages(room):
    outsider, priya = room.browser(OUTSIDER), room.browser(PRIYA)
    for rest in ("", "/decisions", "/hard/statement", "/hard/ranking", "/hard/lead"):
        assert outsider.get(room.path(rest)).status_code == 404
    for rest in ("/hard/lead",):
        assert priya.get(room.path(rest)).status_code == 403
    for kind in ("pdf", "zip"):
        assert priya.get(f"/exercises/{room.reference}/debrief.{kind}").status_code == 404


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Write a statement"),
        ("x" * (LONGEST + 1), "Shorten it to 300 or fewer"),
    ],
)
def test_an_empty_or_too_long_statement_is_refused_with_what_to_do(room, text, says):
    move(room, room.browser(FACILITATOR), "statements")

    assert says in write(room, room.browser(PRIYA), text, 400).text

    assert list_statements(room.run_id, "hard") == []


def test_nothing_is_written_before_the_question_opens_or_after_it_closed(room):
    facilitator, priya = room.browser(FACILITATOR), room.browser(PRIYA)
    assert priya.get(room.path("/hard/statement")).status_code == 409
    move(room, facilitator, "statements")
    open_form = priya.page(room.path("/hard/statement"))
    move(room, facilitator, "reading")

    priya.press(open_form, "Send without your name", 409, text="Too late")

    assert list_statements(room.run_id, "hard") == []


def test_an_action_is_written_down_once_and_taken_back(room):
    facilitator = room.browser(FACILITATOR)
    path = f"/exercises/{room.reference}/actions"
    form = facilitator.page(path)
    entered = {"what": "Brief the night shift", "owner": "Duty inspector", "due_on": "31 May 2027"}
    for _ in range(2):  # pressed twice
        page = facilitator.press(form, "Write it down", **entered)
    assert [action.owner for action in list_actions(room.run_id)] == ["Duty inspector"]
    assert "31 May 2027" in room.browser(TOM).page(room.path()).text

    facilitator.press(page, "Take back the action Brief the night shift")

    assert list_actions(room.run_id) == []


def read_zip(content):
    """An independent reader: hashes by the manifest, and by the list that ``sha256sum --check`` reads."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    for entry in manifest["files"]:
        assert hashlib.sha256(files[entry["name"]]).hexdigest() == entry["sha256"]
        assert len(files[entry["name"]]) == entry["bytes"]
    sums = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    assert sums == {n: hashlib.sha256(c).hexdigest() for n, c in files.items() if n != "SHA256SUMS"}
    return files


@pytest.mark.slow
def test_the_debrief_is_a_tagged_pdf_and_a_zip_without_names(room):
    facilitator, priya = room.browser(FACILITATOR), room.browser(PRIYA)
    add_step(room, "start")
    add_answer(room, 1, "=Hold, the cordon", "Too few officers")
    move(room, facilitator, "statements")
    for text in ("We had no second car", "Sergeant Adeyemi slept"):
        write(room, priya, text)
    page = move(room, facilitator, "reading")
    named = next(one for one in list_statements(room.run_id, "hard") if "Adeyemi" in one.text)
    facilitator.press(page, "Take off the wall", act="hide", chosen=str(named.key), theme="")

    pdf = facilitator.get(f"/exercises/{room.reference}/debrief.pdf")
    files = read_zip(facilitator.get(f"/exercises/{room.reference}/debrief.zip").data)

    reader = PdfReader(io.BytesIO(pdf.data))
    text = " ".join(" ".join(sheet.extract_text() for sheet in reader.pages).split())
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "Hold, the cordon" in text
    assert "We had no second car" in text
    assert "What would you do differently tonight?" in text  # the exercise's own words
    rows = list(csv.DictReader(io.StringIO(files["decisions.csv"].decode("utf-8-sig"))))
    assert rows[0] | {"inject": "", "question": ""} == {
        "inject": "", "question": "", "syndicate": "1", "answer": "'=Hold, the cordon",
        "reason": "Too few officers", "minute": "0", "first_answer": "",
    }  # fmt: skip
    statements = list(csv.DictReader(io.StringIO(files["statements.csv"].decode("utf-8-sig"))))
    assert [row["statement"] for row in statements] == ["We had no second car"]
    everything = text + "".join(content.decode("utf-8", "ignore") for content in files.values())
    assert not any(number in everything for number in ("D1001", "D1002", "D5001", "Adeyemi"))


def test_one_laptop_with_a_table_of_people_is_led_by_who_opened_it(app, database):
    room = make_room(app, kind="table_top")
    supervisor = room.browser(FACILITATOR)
    move(room, supervisor, "statements")

    assert "Sent." in write(room, supervisor, "We waited too long").text
