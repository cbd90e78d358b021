"""``flask report pack --recommendation``: the answer as a ZIP, read without the portal."""

import hashlib
import re
from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select

from docs.draw_examples import LATER, LOOSE, THEN, write_examples
from portal.features.assurance.models import Narrative, Recommendation
from portal.features.packs.services import FOI
from portal.platform.db import db, stamp, transaction
from tests.domain.status.facts import make_exclusion, make_record
from tests.features.assurance.factories import (
    give_owner,
    make_action,
    make_evidence,
    make_judgement,
    make_recommendation,
)
from tests.features.packs.answer_reader import open_annex, read_answer
from tests.pages.monitoring.preparing import events, words_of
from tests.pages.monitoring.test_packs import make_larger_world
from tests.pages.monitoring.world import TODAY

pytestmark = pytest.mark.slow

FIGURE = {"directive": "OIC-2026", "requirement": "", "threshold": "0.9"}
AT_MAY = ("--as-at", "2026-05-31", "--as-known-on", "2026-05-31")


@pytest.fixture
def clock():
    with time_machine.travel(TODAY, tick=False) as travelling:
        yield travelling


@pytest.fixture
def larger(clock, client):
    """A force with a directive, and a recommendation with evidence of every kind that holds text."""
    world = make_larger_world()
    owner, other = world.people["D6001"], world.people["D2003"]
    with time_machine.travel(datetime(2026, 5, 20, 9, tzinfo=UTC), tick=False):
        for number in range(1, 5):  # so many that their number is no secret
            make_exclusion(world.people[f"M-north-{number}"], world.directive, date(2026, 5, 1))
        found = make_recommendation()
        give_owner(found, owner, by=owner, on=date(2026, 1, 5))
        make_action(found, by=owner, owner_id=other, due_on=date(2026, 6, 30), on=date(2026, 2, 1))
        make_evidence(found, "figure", FIGURE, by=owner, title="Everyone completes")
        make_evidence(found, "figure", {**FIGURE, "role": "response"}, by=owner, title="Response completes")
        statement = {"text": "Every team was briefed.", "post": "Head of Crime"}
        make_evidence(found, "statement", statement, by=owner, title="Briefing")
        make_judgement(found, "partly_met", by=owner, confirmed_by=other)
        write(
            found, owner, "## Where we are\n\nWe are **{{state}}**: {{evidence:E-0001}}. {{action:A-0001}}."
        )
    give_owner(found, other, by=owner)  # on 1 June, after the positions asked for
    return world


def write(recommendation: int, by: int, text: str) -> None:
    with transaction():
        row = Narrative(recorded_at=stamp(), recommendation_id=recommendation, from_on=date(2026, 5, 1))
        row.text, row.recorded_by_id = text, by
        db.session.add(row)


def command(app, *arguments):
    return app.test_cli_runner().invoke(args=["report", "pack", *arguments])


def made(app, folder, *arguments):
    """The one file that the command writes into a folder, and what it said."""
    folder.mkdir(exist_ok=True)
    said = command(app, *arguments, "--into", str(folder))
    assert said.exit_code == 0, said.output
    [file] = folder.iterdir()
    return file, said.output


def test_the_answer_is_a_pack_that_a_stranger_can_check(app, larger, tmp_path):
    file, said = made(app, tmp_path / "out", "--recommendation", "e-learning", *AT_MAY)
    content = file.read_bytes()
    pack = read_answer(content, tmp_path / "read")

    assert file.name == "e-learning-answer-pack-2026-05-31.zip"
    assert hashlib.sha256(content).hexdigest() in said
    assert (pack.manifest["pack"], pack.manifest["recommendations"]) == ("answer", ["e-learning"])
    whole, part = pack.rows("figures.csv")
    annex = open_annex(pack, "OIC-2026-inspection-pack.zip")
    answer = next(
        line for line in annex["definitions.csv"].decode().splitlines() if line.startswith("Answer")
    )
    assert f"{whole['reached']} of {whole['total']} people" in answer
    assert (whole["holds"], part["evidence"]) == ("no", "E-0002")
    assert pack.text("statement-E-0003.txt") == "Every team was briefed."
    summary = re.sub(r"\s+", " ", words_of(pack.files["answer.pdf"]))
    for words in (
        f"We are partly met: {whole['reached']} of {whole['total']} people",
        "Ada Auditor",
        "Holds",
    ):
        assert words in summary
    text = pack.text("answer.md").replace("\\", "")
    assert f"We are **partly met**: {whole['reached']} of {whole['total']} people" in text
    assert "#### Where we are" in text
    assert "Not started, due on 30 June 2026" in text
    assert {"E-0001: Directive", "E-0003: Signed as"} <= pack.meanings().keys()
    [event] = events("answer_pack.exported")
    assert (event.detail["recommendation"], event.detail["sha256"]) == (
        "e-learning",
        hashlib.sha256(content).hexdigest(),
    )
    assert event.detail["people"] == pack_people(annex) + 2  # and two owners


def pack_people(annex: dict[str, bytes]) -> int:
    lines = annex["completions.csv"].decode().splitlines()[1:]
    return len({line.split(",")[1] for line in lines})


def test_the_same_position_gives_the_same_bytes_whatever_is_entered_later(app, larger, clock, tmp_path):
    first, _ = made(app, tmp_path / "one", "--recommendation", "all", *AT_MAY)
    clock.shift(40 * 24 * 3600)
    make_record(larger.people["S1"], larger.activities[1], date(2026, 4, 1))
    found = db.session.scalars(select(Recommendation.id)).one()
    make_judgement(found, "met", by=larger.people["D6001"], confirmed_by=larger.people["D2003"])
    again, _ = made(app, tmp_path / "two", "--recommendation", "all", *AT_MAY)
    now, _ = made(app, tmp_path / "three", "--recommendation", "all")

    assert again.read_bytes() == first.read_bytes()
    assert "**met**" in read_answer(now.read_bytes(), tmp_path / "read").text("answer.md")


def test_the_foi_edition_names_nobody_and_hides_what_the_annex_does_not_show(app, larger, tmp_path):
    file, _ = made(app, tmp_path / "out", "--recommendation", "e-learning", "--foi", *AT_MAY)
    pack = read_answer(file.read_bytes(), tmp_path / "read")

    assert pack.manifest["small_number"] == 5
    assert "statement-E-0003.txt" not in pack.files
    whole, part = pack.rows("figures.csv")
    assert (whole["total"] != "", part["total"], part["holds"]) == (True, "", "")
    everything = words_of(pack.files["answer.pdf"]) + "".join(
        pack.text(name) for name in pack.files if not name.endswith((".pdf", ".zip"))
    )
    for word in ("Ada", "Auditor", "Hale", "Quill", "Every team was briefed", "Head of Crime"):
        assert word not in everything
    assert "[c]: numbers of a part of the force are not in this edition" in everything
    assert events("answer_pack.exported")[0].detail["people"] == 0


def test_what_cannot_be_answered_is_refused_with_a_sentence(app, larger, tmp_path):
    out = ("--output", str(tmp_path / "x.zip"))

    for arguments, sentence in (
        ((), "Give either --directive or --recommendation"),
        (("--directive", "OIC-2026", "--recommendation", "all"), "Give either"),
        (("--recommendation", "nothing"), "There is no such recommendation"),
        (
            ("--recommendation", "all", "--as-at", "2026-05-01", "--as-known-on", "2026-03-01"),
            "A pack is evid",
        ),
        (("--recommendation", "all", "--as-at", "2026-03-01", "--as-known-on", "2026-03-01"), "No recommend"),
    ):
        said = command(app, *arguments, *out)
        assert (said.exit_code, sentence in said.output) == (1, True), said.output
    assert list(tmp_path.iterdir()) == []


def test_the_examples_are_the_answer_known_then_and_known_later(app, larger, tmp_path):
    written = write_examples(tmp_path / "examples", "Westshire Police", "2026-05-31")

    assert {path.parent.name for path in written} == {THEN, LATER}
    assert {path.name for path in written} == {*LOOSE.values(), FOI}
    then, later = ((tmp_path / "examples" / name / "answer.txt").read_text() for name in (THEN, LATER))
    assert ("| Owner | Ada Auditor |" in then, "| Owner | Ada Auditor |" in later) == (True, True)
    public = (tmp_path / "examples" / THEN / FOI).read_bytes()
    assert read_answer(public, tmp_path / "read").manifest["as_known_on"].startswith("2026-05-31")
