"""Lessons that are cases, worked through with HTML alone: decisions, consequences, a debrief, no score."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.cases import CaseRun, CaseStep
from portal.domain.catalogue import services
from portal.domain.catalogue.version_cache import current_version, package_files
from portal.domain.people.models import FactNote
from portal.domain.records.models import LessonVisit
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from tests.domain.catalogue.folders import MODULE, write
from tests.domain.catalogue.kinds_written import CASE_BODIES
from tests.page_reading import Page, PortalClient, words
from tests.pages.account.browsing import another
from tests.pages.assessment.choosing import values_of_labels
from tests.pages.authoring.desk import make_person_with, signed_in_client
from tests.pages.learning.working import learner, read_lessons

CASE = "/learning/modules/sample/lessons/first"
DONE = {"answer-1": "c.2", "answer-2": "c.1", "answer-3": "A driver reported voices."}


def case_file(kind: str, minutes: int = 5) -> str:
    """A lesson that is a case of this kind."""
    head = f'title = "A case"\nminutes = {minutes}\noutcomes = ["see", "say"]\nkind = "{kind}"\n'
    text = 'prompt = "What do you do?"\nexplanation = "Because it is so."\n'
    return head + text + CASE_BODIES[kind].replace("[[item.", "[[")


def publish_case(folder: Path, kind: str, **changes: str) -> None:
    """Publish ``sample``, whose first lesson is a case."""
    files = {"sample/lessons/first.md": None, "sample/lessons/first.toml": case_file(kind), **changes}
    with transaction():
        services.publish_folder(write(folder, files), at=stamp())


@pytest.fixture
def page(client, tmp_path, request) -> Page:
    """The case before anything is decided."""
    publish_case(tmp_path, getattr(request, "param", "scenario"))
    learner(client)
    return client.page(CASE)


def decide(client: PortalClient, page: Page, *choices: str, **fields: str) -> Page:
    """Choose, scene after scene, by the words with which a choice begins."""
    for choice in choices:
        page = client.press(page, "Decide", choice=values_of_labels(page, choice), **fields)
    return page


def visits() -> list[str]:
    return list(db.session.scalars(select(LessonVisit.kind).order_by(LessonVisit.id)))


def test_a_case_is_decided_step_by_step_and_its_end_completes_the_lesson(client, page):
    assert "Nothing is scored" in page.text
    assert db.session.scalars(select(CaseRun)).all() == []

    page = decide(client, page, "Open the doors", reason="They knock")

    assert "You chose: Open the doors at once Nobody is there to help you." in page.text
    assert visits() == ["opened"]
    page = client.page(CASE)  # left, and resumed
    assert "People climb out onto the road." in page.text
    page = decide(client, page, "Close the road")
    assert visits() == ["opened", "completed"]
    assert page.text.count("Everyone is safe.") == 2  # how it ended, and the model's end
    for said in (
        "Two ways led here.",
        "Your reason: They knock",
        "Because it is so.",
        "Call for an ambulance",
    ):
        assert said in page.text
    assert "Worth" not in page.text
    assert page.links["Continue to lesson 2"] == "/learning/modules/sample/lessons/second"
    assert [step.ends for step in db.session.scalars(select(CaseStep).order_by(CaseStep.id))] == [False, True]


@pytest.mark.slow
def test_shares_of_colleagues_begin_with_ten_people_and_single_nobody_out(app, client, page):
    first = ["Open the doors", "Close the road"]
    for number in range(9):
        colleague = another(app)
        learner(colleague, f"D20{number:02}")
        way = first if number else ["Listen", "Call for"]
        ended = decide(colleague, colleague.page(CASE), *way)
        assert "colleagues" not in ended.text

    counted_before = decide(client, page, *first)
    assert "colleagues" not in counted_before.text  # shares are counted once a minute
    with time_machine.travel(clock.now() + timedelta(minutes=1)):
        ended = client.page(CASE)

    assert "Open the doors at once – what you did – 9 in 10 or more colleagues" in ended.text
    assert "Listen and speak – a good choice here – 1 in 10 or fewer colleagues" in ended.text
    assert ended.text.count("colleagues") == 3  # to the second scene came nine


def test_a_good_way_is_called_as_good_as_the_models(client, page):
    page = decide(client, page, "Listen", "Call for")

    assert "Every choice of yours was as good as the model’s." in page.text
    assert page.text.count("– what you did – a good choice here") == 2


def test_one_step_back_takes_another_way_within_the_run(client, page):
    page = decide(client, page, "Open the doors", reason="In a hurry")
    page = client.press(page, "Go back one scene", back="y")
    assert "In a hurry" in page.html
    page = decide(client, page, "Listen", "Call for")

    assert "Everyone is safe." in page.text
    assert [run.number for run in db.session.scalars(select(CaseRun))] == [1]
    saved = [step.choices for step in db.session.scalars(select(CaseStep).order_by(CaseStep.id))]
    assert saved == [["road/open"], [], ["road/listen"], ["road/listen", "voices/call"]]


def test_again_is_a_new_run_and_a_step_sent_twice_is_none(client, page):
    second = decide(client, page, "Listen")
    end = decide(client, second, "Call for")
    assert decide(client, second, "Look for").h1 == end.h1  # of the window left behind, after the end
    assert [run.number for run in db.session.scalars(select(CaseRun))] == [1]

    page = client.page(end.links["Work through it again"])
    assert "What you have done so far" not in page.text
    assert decide(client, page, "Open the doors").path != end.path
    assert [run.number for run in db.session.scalars(select(CaseRun).order_by(CaseRun.id))] == [1, 2]
    assert visits() == ["opened", "completed"]


def test_a_module_taken_again_asks_for_the_case_again(client, page):
    decide(client, page, "Listen", "Call for", reason="First time")
    page = client.press(read_lessons(client, "sample", "second"), "Start assessment")
    for _ in range(2):
        page = client.press(page, "Save and continue", choice=values_of_labels(page, "This"))
    assert client.press(page, "Submit answers").h1 == "You passed"
    assert "Your reason: First time" in client.page(CASE).text
    decide(client, client.page(f"{CASE}?again=y"), "Open the doors")  # of one's own accord, after the pass

    client.press(client.page("/learning/modules/sample"), "Take this module again")

    page = client.page(CASE)
    assert "What you have done so far" not in page.text
    decide(client, page, "Listen", "Call for")
    runs = db.session.scalars(select(CaseRun).order_by(CaseRun.id)).all()
    assert [run.number for run in runs] == [1, 2, 1]
    assert runs[0].registration_id != runs[2].registration_id
    assert visits()[-2:] == ["opened", "completed"]


def test_only_the_end_completes_it(client, page):
    token = page.all("input", name="csrf_token")[0].get("value")
    response = client.post(CASE, data={"csrf_token": token}, follow_redirects=True)

    assert "Work through the case to its end." in response.text
    assert visits() == []


def test_what_a_case_does_not_offer_is_refused(client, page):
    page = client.press(page, "Decide", reason="Because")
    assert page.links["Select what you do"] == "#choice"
    assert "Because" in page.html
    assert page.title.startswith("Error: ")
    chosen = values_of_labels(page, "Listen")
    page = client.press(page, "Decide", choice=chosen, reason="x" * 2001)
    (kept,) = (radio for radio in page.all("input", name="choice") if radio.get("checked") is not None)
    assert [kept.get("value")] == list(chosen)
    action = page.form_with("Decide").action
    text = action.replace("/first/", "/second/")
    token = page.all("input", name="csrf_token")[0].get("value")
    assert client.post(text, data={"csrf_token": token, "choice": "c.1"}).status_code == 303
    assert db.session.scalars(select(CaseRun)).all() == []


@pytest.mark.parametrize("page", ["report"], indirect=True)
def test_a_report_is_kept_half_done_and_compared_at_the_end(client, page):
    client.press(page, "Save and come back later", later="y", **DONE | {"answer-1": ""})
    page = client.page(CASE)
    assert "A driver reported voices." in page.html
    assert visits() == ["opened"]

    page = client.press(page, "Finish and compare", **{"answer-1": "c.1", "answer-2": "c.1"})

    assert "A driver reported voices." in page.text
    assert "At 02:10 on a date a driver reported voices." in page.text
    assert "1: reliable – your answer You know nothing of him." in page.text
    assert [words(label) for label in page.all("label")][:2] == ["The time", "Who said it"]
    assert visits() == ["opened", "completed"]


@pytest.mark.parametrize("page", ["call"], indirect=True)
def test_a_call_is_left_and_resumed_and_what_was_not_asked_is_not_known(client, page):
    page = client.press(page, "Say this")
    assert page.links["Select what you ask or say"] == "#choice"
    page = client.press(page, "Say this", choice=values_of_labels(page, "Where do you think"))
    assert "The medic shrugs." in page.text
    assert "A guess is copied." not in page.text  # feedback waits for the debrief
    page = client.page(CASE)  # left, and resumed
    page = client.press(page, "Say this", choice=values_of_labels(page, "Read me both"))
    client.press(page, "Save and come back later", later="y", **{"answer-1": "nine", "answer-2": ""})
    page = client.page(CASE)
    assert 'value="nine"' in page.html
    unknown = next(option.get("value") for option in page.all("option") if words(option) == "Not known")
    page = client.press(page, "Finish and compare", **{"answer-1": "Nine", "answer-2": unknown})

    assert "You asked 1 of 2 good questions, and passed on 2 of 2 things as they were known." in page.text
    assert "Ages: right" in page.text
    assert "How old do they say they are?" in page.text
    assert visits() == ["opened", "completed"]
    steps = db.session.scalars(select(CaseStep).order_by(CaseStep.id)).all()
    assert steps[-1].choices == ["who/origin", "lorry/plate", "age/unknown"]
    assert {note.text for note in db.session.scalars(select(FactNote))} == {"nine", "Nine"}


@pytest.mark.slow
def test_authors_see_the_shares_and_no_names(app, client, page):
    for number in range(10):
        colleague = another(app)
        learner(colleague, f"D20{number:02}")
        decide(
            colleague, colleague.page(CASE), *(("Open", "Close") if number < 6 else ("Listen", "Call for"))
        )
    make_person_with("D3001", "author")

    shown = signed_in_client(app, "D3001").page("/authoring/sample/statistics")

    assert (
        "Point 1 about 4 in 10: Listen and speak (good) about 6 in 10: Open the doors at once" in shown.text
    )
    assert "Not shown: Call for an ambulance (good)" in shown.text  # to the second scene came four


def test_reasons_are_erased_with_what_else_one_wrote(app, client, page):
    decide(client, page, "Listen", "Call for", reason="Because of Zbigniew")
    result = app.test_cli_runner().invoke(args=["people", "erase-texts", "D1001"])

    assert "D1001: 3 texts in 2 answers erased." in result.output
    assert db.session.scalars(select(FactNote)).all() == []
    page = client.page(CASE)
    assert "Zbigniew" not in page.text
    assert "Everyone is safe." in page.text


def test_a_case_is_published_as_written_and_found_by_its_opening(client, page, tmp_path):
    version = current_version("sample")
    assert version is not None
    assert package_files(version.id)["lessons/first.toml"] == case_file("scenario").encode()
    assert CASE in client.page("/guides?q=shoulder").html
    assert CASE not in client.page("/guides?q=hurt").html


REFUSED = {
    "kind": (
        'kind = "scenario"',
        'kind = "single"',
        "“single” is not a kind of case. Use scenario, report, picture or call.",
    ),
    "key": ('title = "A case"', 'title = "A case"\nkey = "x"', "“key” is not a known key here."),
    "loose": ('to = "voices"', 'to = "nowhere"', "There is no scene “nowhere”."),
    "prompt": ('prompt = "What do you do?"\n', "", "“prompt” is missing."),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_a_bad_case_is_refused_by_its_line(app, database, tmp_path, case):
    old, new, reason = REFUSED[case]
    text = case_file("scenario").replace(old, new, 1)
    folder = write(tmp_path, {"sample/lessons/first.md": None, "sample/lessons/first.toml": text})
    reading = services.check_folder(folder)

    assert any(reason in sentence for sentence in reading.faults.sentences())
    assert all("sample/lessons/first.toml" in sentence for sentence in reading.faults.sentences())


def test_a_lesson_is_one_file(app, database, tmp_path):
    folder = write(tmp_path, {"sample/lessons/first.toml": case_file("report"), "sample/module.toml": MODULE})

    (sentence,) = services.check_folder(folder).faults.sentences()
    assert "There is also lessons/first.md. A lesson is one file" in sentence
