"""Files that a job makes: requested once, kept for a day, for the requester alone; on both databases."""

import io
import os
import re
import shutil
import stat
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select, update

from portal.domain.reports import completion_files, export_files, report_pdf
from portal.domain.reports.models import PreparedFile
from portal.platform.clock import now as clock_now
from portal.platform.db import db, transaction
from portal.platform.errors import RuleError
from portal.platform.jobs.models import Job, JobState
from tests.factories.people import make_grant
from tests.pages.account.browsing import another, let_in
from tests.pages.monitoring.preparing import (
    LONG,
    PDF,
    WIDE,
    asked,
    end_grants,
    events,
    jobs,
    link,
    ready,
    run_jobs,
    words_of,
)
from tests.pages.monitoring.reading import sheet
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world

pytestmark = pytest.mark.slow


@pytest.fixture
def clock():
    with time_machine.travel(TODAY, tick=False) as travelling:
        yield travelling


@pytest.fixture
def large(monkeypatch):
    """Every workbook and PDF is too large to be waited for."""
    monkeypatch.setattr(completion_files, "XLSX_ROWS", 1)
    monkeypatch.setattr(report_pdf, "MOST_PEOPLE", 1)


@pytest.fixture
def world(clock, client):
    return make_world()


@pytest.fixture
def auditor(client, world):
    return enter(client, world, "D6001")


@pytest.mark.parametrize("address", [LONG, WIDE])
@pytest.mark.parametrize("query", ["", "?status=overdue", "?as_at=2026-04-30&as_known_on=2026-04-30"])
def test_a_large_workbook_is_made_by_a_job_and_holds_what_a_small_one_holds(
    app, auditor, monkeypatch, address, query
):
    small = sheet(auditor.get(f"{address}{query}"))
    monkeypatch.setattr(completion_files, "XLSX_ROWS", 1)

    page = auditor.page(asked(auditor, f"{address}{query}"))
    assert page.h1 == "Your file is being made"
    run_jobs(app)
    page = auditor.page(page.path)
    file = auditor.get(link(page))

    assert page.h1 == "Your file is ready"
    assert "until 10:00 on 2 June 2026" in page.text
    assert sheet(file) == small
    assert len(small) > 1
    assert file.headers["Cache-Control"] == "no-store"
    assert file.headers["Content-Disposition"].startswith("attachment; filename=OIC-2026-")


@pytest.fixture
def folder(app):
    """The folder of prepared files, whatever earlier tests left swept out."""
    path = Path(app.instance_path) / "files"
    shutil.rmtree(path, ignore_errors=True)
    return path


@pytest.mark.usefixtures("large")
def test_a_large_pdf_comes_as_one_or_in_parts_that_each_say_what_their_figures_mean(
    app, auditor, monkeypatch
):
    one = auditor.get(link(ready(app, auditor, PDF)))
    monkeypatch.setattr(export_files, "PART", 4)
    several = auditor.get(link(ready(app, auditor, f"{PDF}?as_at=2026-05-31")))

    assert "O'Brien, Tom (C1)" in words_of(one.data)
    assert several.headers["Content-Disposition"].endswith("OIC-2026-completions-2026-05-31.zip")
    with zipfile.ZipFile(io.BytesIO(several.data)) as archive:
        parts = {name: words_of(archive.read(name)) for name in archive.namelist()}
    assert list(parts) == [f"OIC-2026-completions-part-{number}-of-2-2026-05-31.pdf" for number in (1, 2)]
    first, second = parts.values()
    assert "Part 1 of 2, people 1 to 4" in first
    assert "Part 2 of 2, people 5 to 6" in second
    assert "People by status" in first
    assert "People by status" in second
    for number in ("C1", "N1", "N2", "D1001", "S1", "S2"):
        assert (f"({number})" in first) != (f"({number})" in second)


@pytest.mark.usefixtures("large")
def test_a_pdf_that_nobody_would_read_is_refused_with_a_sentence(auditor, monkeypatch):
    monkeypatch.setattr(report_pdf, "MOST_OF_A_JOB", 5)

    page = auditor.page(PDF, 409)

    assert "This document would list 6 people" in page.text
    assert jobs() == []


@pytest.mark.usefixtures("large")
def test_asked_again_it_is_the_same_file_while_it_is_made_and_while_it_is_there(app, auditor, clock):
    first = asked(auditor, LONG)
    assert asked(auditor, LONG) == first
    assert asked(auditor, f"{LONG}?status=overdue") != first
    assert asked(auditor, WIDE) != first
    run_jobs(app)
    assert asked(auditor, LONG) == first
    clock.shift(timedelta(hours=24))
    let_in(auditor, "D6001")

    assert asked(auditor, f"{LONG}?as_at=2026-06-01") != first
    assert len(jobs()) == 4


@pytest.mark.usefixtures("large")
def test_a_person_has_three_files_made_at_once_and_no_more(app, auditor):
    for day in ("2026-05-29", "2026-05-30", "2026-05-31"):
        asked(auditor, f"{LONG}?as_at={day}")

    refused = auditor.page(LONG, 409)
    run_jobs(app)

    assert "You already have 3 files being made" in refused.text
    assert asked(auditor, LONG)


@pytest.mark.usefixtures("large")
def test_a_file_lies_in_the_instance_for_its_owner_alone_and_leaves_nothing_else(app, auditor, folder):
    ready(app, auditor)

    [file] = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert re.fullmatch(r"[0-9a-f]{32}-[0-9a-f]{32}", file.name)


@pytest.mark.usefixtures("large")
def test_after_a_day_the_file_is_gone_from_page_disk_and_database(app, auditor, folder, clock):
    page = ready(app, auditor)
    clock.shift(timedelta(hours=24) - timedelta(seconds=1))
    let_in(auditor, "D6001")
    assert auditor.get(link(page)).status_code == 200
    clock.shift(timedelta(seconds=1))

    gone = auditor.page(page.path, 404)

    assert "A file is kept for 24 hours" in gone.text
    assert auditor.get(link(page)).status_code == 404
    assert list(folder.iterdir()) == []
    assert db.session.scalars(select(PreparedFile)).all() == []


@pytest.mark.usefixtures("large")
def test_the_next_job_removes_what_is_over_and_what_belongs_to_nobody(app, auditor, folder, clock):
    ready(app, auditor)
    [old] = folder.iterdir()
    stray, half = folder / f"{'0' * 32}-stray", folder / f"{old.name[:32]}-cutoff.part"
    stray.write_text("left behind")
    half.mkdir()
    (half / "draft").write_text("half of it")
    clock.shift(timedelta(hours=25))
    let_in(auditor, "D6001")
    asked(auditor, WIDE)
    for path in (old, stray):
        path.write_text("left behind")  # whatever has been removed by now
        os.utime(path, (0, 0))
    young = folder / f"{'0' * 32}-young"  # of a row that is not seen here yet
    young.write_text("just begun")
    os.utime(young, (clock_now().timestamp() - 60,) * 2)

    run_jobs(app)

    rows = [row.id.hex for row in db.session.scalars(select(PreparedFile))]
    assert {path.name[:32] for path in folder.iterdir()} == {*rows, "0" * 32}
    assert young.exists()
    assert not stray.exists()
    assert not half.exists()


@pytest.mark.usefixtures("large")
def test_nobody_else_gets_at_the_file_whatever_they_may_see(app, auditor, world):
    page = ready(app, auditor)
    other = enter(another(app), world, "D2003")

    for path in (page.path, link(page)):
        assert other.get(path).status_code == 404
        assert another(app).get(path).location.startswith("/sign-in")
    token = other.page("/account").form_with("Sign out").fields["csrf_token"][0]
    for what in ("cancel", "again"):
        assert other.post(f"{page.path}/{what}", data={"csrf_token": token}).status_code == 404


@pytest.mark.usefixtures("large")
def test_the_administrator_finds_the_job_and_no_way_to_the_file(app, auditor, world):
    page = ready(app, auditor)
    [job] = jobs()
    make_grant(world.people["N2"], "administrator")
    administrator = enter(another(app), world, "N2")

    own, others = (each.page(f"/jobs/{job.reference}") for each in (auditor, administrator))

    assert own.links["Open the page it belongs to"] == page.path
    assert others.h1 == "File of a report"
    assert "Rows 12" in others.text
    assert "Open the page it belongs to" not in others.links


@pytest.mark.usefixtures("large")
def test_making_and_downloading_are_audited_without_typed_text(app, auditor, world):
    page = ready(app, auditor, f"{LONG}?q=Shah&as_at=2026-05-20")
    assert auditor.get(link(page)).status_code == 200

    [made], [taken] = events("completions.exported"), events("completions.downloaded")

    assert (made.actor_id, taken.actor_id) == (world.people["D6001"],) * 2
    assert (made.detail["rows"], made.detail["format"]) == (2, "xlsx")
    assert made.detail["file"] == taken.detail["file"] == page.path.rpartition("/")[2]
    assert taken.detail["filters"] == ["q"]
    assert "Shah" not in f"{made.detail}{taken.detail}{[job.arguments for job in jobs()]}"


@pytest.mark.usefixtures("large")
def test_whoever_may_no_longer_download_gets_no_file_made(app, auditor, world, folder):
    path = asked(auditor, LONG)
    end_grants(world, "D6001")

    run_jobs(app)

    [job] = jobs()
    assert (job.state, job.reason) == (
        JobState.FAILED, "You may no longer download completions, so this file was not made.",
    )  # fmt: skip
    assert not folder.exists() or list(folder.iterdir()) == []
    assert auditor.get(path).status_code == 403
    assert events("completions.exported") == []


@pytest.mark.usefixtures("large")
def test_the_file_holds_whom_its_asker_sees_when_it_is_made(app, client, world):
    enter(client, world, "D2003")
    path = asked(client, LONG)
    end_grants(world, "D2003")
    make_grant(world.people["D2003"], "manager", world.units["south"])

    run_jobs(app)

    rows = sheet(client.get(link(client.page(path))))
    assert {row["staff_number"] for row in rows} == {"S1", "S2"}


@pytest.mark.usefixtures("large")
def test_a_file_made_before_its_asker_saw_less_is_not_handed_out(app, client, world):
    enter(client, world, "D2003")
    page = ready(app, client)
    end_grants(world, "D2003")
    make_grant(world.people["D2003"], "manager", world.units["south"])

    said = client.page(page.path)
    refused = client.page(link(page), 409)

    assert said.h1 == "Your file cannot be downloaded"
    assert "The people you can see have changed since this file was made." in refused.text
    assert asked(client, LONG) != page.path
    assert events("completions.downloaded") == []


@pytest.mark.usefixtures("large")
def test_a_job_that_fails_says_why_leaves_nothing_and_can_be_tried_again(app, auditor, monkeypatch, folder):
    def fails(rows, *arguments, **more):
        list(rows)
        raise RuleError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(completion_files, "write_xlsx", fails)
        page = ready(app, auditor)

    assert page.h1 == "Your file could not be made"
    assert "The disk is full." in page.text
    assert list(folder.iterdir()) == []
    assert auditor.get(f"{page.path}/download").status_code == 404
    again = auditor.press(page, "Try again")
    assert again.h1 == "Your file is being made"
    run_jobs(app)
    assert sheet(auditor.get(link(auditor.page(page.path))))


@pytest.mark.usefixtures("large")
def test_a_file_that_is_cancelled_is_not_made(app, auditor, folder):
    page = auditor.page(asked(auditor, LONG))
    cancelled = auditor.press(page, "Cancel")
    run_jobs(app)

    assert cancelled.h1 == "Your file was cancelled"
    assert not folder.exists() or list(folder.iterdir()) == []
    assert asked(auditor, LONG) != page.path


@pytest.mark.usefixtures("large")
def test_a_run_that_was_given_up_cannot_hand_over_its_file(app, auditor, monkeypatch, folder):
    write = completion_files.write_xlsx

    def given_up(*arguments, **more):
        write(*arguments, **more)
        with transaction():
            db.session.execute(update(Job).values(state=JobState.WAITING, claim=None))

    with monkeypatch.context() as slow:
        slow.setattr(completion_files, "write_xlsx", given_up)
        path = asked(auditor, LONG)
        run_jobs(app)

    assert list(folder.iterdir()) == []
    assert auditor.page(path).h1 == "Your file is being made"
    assert events("completions.exported") == []


@pytest.mark.usefixtures("large")
def test_a_file_that_somebody_removed_is_said_to_be_gone(app, auditor, folder):
    page = ready(app, auditor)
    for file in folder.iterdir():
        file.unlink()

    assert "This file is no longer in the portal" in auditor.page(page.path).text
    assert auditor.get(link(page)).status_code == 404


@pytest.mark.usefixtures("large")
def test_a_job_that_waited_for_more_than_a_day_makes_nothing(app, auditor, clock):
    asked(auditor, LONG)
    clock.shift(timedelta(hours=25))

    run_jobs(app)

    [job] = jobs()
    assert job.reason == "You requested this file more than a day ago. Request it again."


@pytest.mark.usefixtures("large")
def test_csv_and_json_are_never_made_by_a_job(auditor):
    assert auditor.get(f"{REPORT}/completions.csv").status_code == 200
    assert auditor.get(f"{REPORT}/completions.json").status_code == 200
    assert jobs() == []
