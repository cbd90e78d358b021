"""Authors who act at the same instant, on databases whose writers really wait for each other."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from flask import Flask

from portal.domain.authoring import queries, services
from portal.platform.db import db, transaction
from portal.platform.errors import PortalError
from tests.domain.catalogue.folders import write
from tests.factories.people import make_person
from tests.pages.authoring.drafting import AT, FIRST, LATER, lesson_file, open_draft, publish_sample_folder
from tests.waiting import PATIENCE


def at_once(app: Flask, acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each act returned or was refused with, all begun at the same instant."""
    gate = threading.Barrier(len(acts), timeout=PATIENCE)

    def run(act: Callable[[], Any]) -> Any:
        with app.app_context():
            gate.wait()
            try:
                with transaction():
                    return act()
            except PortalError as error:
                return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.slow
def test_of_saves_at_once_one_wins_and_the_others_are_told(serving, tmp_path):
    publish_sample_folder(write(tmp_path / "modules"))
    people = [make_person() for _ in range(8)]
    draft_id = open_draft(people[0])
    shown = queries.get_draft("sample").files
    db.session.remove()

    answers = at_once(
        serving,
        [
            partial(
                services.save_files,
                draft_id,
                {FIRST: lesson_file(f"{person}.\n")},
                expected=shown,
                summary="Changed",
                by=person,
                at=LATER,
            )
            for person in people
        ],
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["StaleSaveError"] * 7 + ["int"]
    winner = people[next(n for n, answer in enumerate(answers) if answer == 2)]
    assert queries.state_files(draft_id, 2)[FIRST] == lesson_file(f"{winner}.\n")
    assert [saved.number for saved in queries.list_saves(draft_id)] == [2, 1]


def test_saves_of_different_files_at_once_are_all_kept(serving, tmp_path):
    publish_sample_folder(write(tmp_path / "modules"))
    person = make_person()
    draft_id = open_draft(person)
    db.session.remove()

    answers = at_once(
        serving,
        [
            partial(
                services.save_files,
                draft_id,
                {f"lessons/new-{n}.md": lesson_file("The same text.\n")},
                expected={},
                summary="Added",
                by=person,
                at=LATER,
            )
            for n in range(8)
        ],
    )

    assert sorted(answers) == list(range(2, 10))
    assert sum(path.startswith("lessons/new-") for path in queries.get_draft("sample").files) == 8


@pytest.mark.slow
def test_drafts_opened_at_once_are_one(serving, tmp_path):
    publish_sample_folder(write(tmp_path / "modules"))
    person = make_person()
    db.session.remove()

    answers = at_once(serving, [partial(services.open_draft, "sample", by=person, at=AT)] * 8)

    assert len(set(answers)) == 1
    assert queries.get_draft("sample").draft_id == answers[0]


def test_modules_made_at_once_under_one_key_are_one_and_the_others_are_refused(serving, tmp_path):
    person = make_person()
    db.session.remove()

    answers = at_once(
        serving, [partial(services.create_module_draft, "first", "First", by=person, at=AT)] * 8
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["KeyTakenError"] * 7 + ["int"]


def test_of_arrivals_at_once_one_has_the_place(serving, tmp_path):
    publish_sample_folder(write(tmp_path / "modules"))
    people = [make_person() for _ in range(8)]
    draft_id = open_draft(people[0])
    db.session.remove()

    answers = at_once(
        serving, [partial(services.claim_place, draft_id, "details", by=person, at=AT) for person in people]
    )

    assert sum(answer is None for answer in answers) == 1
    holder = people[answers.index(None)]
    assert {answer.person_id for answer in answers if answer is not None} == {holder}
