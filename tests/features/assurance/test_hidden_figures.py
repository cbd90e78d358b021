"""Nobody works out a small number of documents or of people from all FOI editions of one date together."""

from datetime import UTC, date, datetime
from io import BytesIO
from itertools import combinations

import pytest
import time_machine
from pypdf import PdfReader

from portal.domain.reports.foi import is_small
from portal.features.dip_samples.rules import SampleCounts
from tests.factories.people import make_person, make_unit
from tests.features.assurance.factories import make_evidence, make_recommendation
from tests.features.dip_samples.factories import make_sample
from tests.features.packs.answer_reader import read_answer

pytestmark = pytest.mark.slow
SMALL = 5
MONTHS = [date(2026, month, 1) for month in (1, 2, 3, 4)]
PIECES = {  # of each recommendation, which share of which months and unit
    "e-learning": (("submitted", 3, ""), ("submitted", 4, ""), ("on_time", 4, "")),
    "plan": (("submitted", 4, "Crime"), ("on_time", 3, ""), ("complete", 4, "")),
}


@pytest.fixture
def packs(client, app, tmp_path):
    """The FOI editions of each recommendation and of all, of a force with two units that count documents."""
    with time_machine.travel(datetime(2026, 5, 20, 9, tzinfo=UTC), tick=False):
        crime, contact = make_unit("Crime"), make_unit("Contact")
        by = make_person(crime)
        for place, month in enumerate(MONTHS):
            make_sample(crime, by, month, SampleCounts(80, 60 + place, 50, 30, 20, 20, 0))
            rest = 0 if place else 3  # of the first month three cases have no document
            counts = SampleCounts(60, 60 - rest, 40, 20, 12, 20, 0)
            make_sample(contact, by, month, counts, "no_time" if rest else "")
        for key, pieces in PIECES.items():
            recommendation = make_recommendation(key)
            for measure, months, unit in pieces:
                kept = {"measure": measure, "months": months, "threshold": "0.9", "unit": unit}
                make_evidence(recommendation, "samples", kept, by=by, title=f"{measure} {months} {unit}")
        packs = []
        for key in (*PIECES, "all"):
            target = tmp_path / f"{key}.zip"
            at = ("--as-at", "2026-05-20", "--output", str(target), "--foi")
            made = app.test_cli_runner().invoke(args=["report", "pack", "--recommendation", key, *at])
            assert made.exit_code == 0, made.output
            packs.append(read_answer(target.read_bytes(), tmp_path / key))
    return packs


def test_figures_of_documents_cannot_be_taken_from_one_another(packs):
    shown = {}
    for pack in packs:
        for row in pack.rows("figures.csv"):
            if row["total"]:
                shown[row["title"]] = (int(row["reached"]), int(row["total"]))

    counts = {number for pair in shown.values() for number in (*pair, pair[1] - pair[0])}
    assert shown  # something is
    for one, other in combinations(sorted(shown), 2):
        (done, of), (less_done, less_of) = shown[one], shown[other]
        for rest in (done - less_done, of - less_of, (of - done) - (less_of - less_done)):
            assert one.split()[0] != other.split()[0] or not is_small(abs(rest), SMALL), (one, other)
    assert not any(is_small(count, SMALL) for count in counts)
    frames = {tuple(title.split(" ", 1)[1:]) for title in shown}
    assert len(frames) == 1, frames


def test_what_is_hidden_stands_in_no_other_file(packs):
    for pack in packs:
        hidden = [row["title"] for row in pack.rows("figures.csv") if not row["total"]]
        text = " ".join(page.extract_text() for page in PdfReader(BytesIO(pack.files["answer.pdf"])).pages)
        for words in (text, pack.text("answer.md"), pack.text("definitions.csv"), pack.text("evidence.csv")):
            for number in ("57 of 60", "237 of 240", "246 of 320"):
                assert number not in words, (hidden, number)
