"""The watched folder: a night's files are imported, held for a person or set aside, and put away."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
import time_machine
from sqlalchemy import select, update

from portal.commands.jobs import make_worker_setup
from portal.domain.imports.columns import ColumnMapping
from portal.domain.imports.models import ImportProfile, ImportRun
from portal.domain.people.models import PersonName
from portal.domain.people.queries import person_by_staff_number
from portal.domain.reminders.models import Message, MessageKind, NoticeLine
from portal.domain.reminders.rules import SendWindow
from portal.domain.reminders.sending import SendingSettings, send_due_messages
from portal.features.watched_folder import folder as watched_folder
from portal.features.watched_folder import importing as imports_folder
from portal.features.watched_folder.folder import FolderSettings
from portal.features.watched_folder.models import FolderFile, FolderLook
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.jobs.models import Job
from portal.platform.jobs.worker import JobRunner
from portal.platform.mail import Relay
from tests.domain.imports.bad import BAD, bad_roster
from tests.domain.imports.desk import administrator, csv_of, row, sections
from tests.domain.reminders.post_office import open_office
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit
from tests.jobs import run_job

FORCE = [row(f"N{n}") for n in range(20)]


class Drop:
    """The folder, as another system and an operator see it."""

    def __init__(self, app, root: Path) -> None:
        self.app, self.root, self.writes = app, root, 0
        self.runner = JobRunner(make_worker_setup(app), Event())

    def put(self, name, content, profile="default", kind="roster"):
        """Write a file, each a second after the one before; returns its path."""
        path = self.root / "incoming" / kind / profile / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.writes += 1
        os.utime(path, (self.writes, self.writes))
        return path

    def pass_a_minute(self):
        """Let a worker look, and do the job that it starts, if any."""
        imports_folder.look_at_folder(Event())
        for reference in db.session.scalars(select(Job.reference).where(Job.state == "waiting")).all():
            run_job(self.runner, reference)
        db.session.expire_all()
        assert {job.reason for job in db.session.scalars(select(Job))} <= {""}

    def files(self):
        """The places of all files, without the days."""
        places = (p.relative_to(self.root) for p in self.root.rglob("*") if not p.is_dir() or p.is_symlink())
        return {"/".join(part for part in p.parts if not part.startswith("20")) for p in places}


@pytest.fixture
def drop(client, app, tmp_path, monkeypatch):
    root = tmp_path / "drop"
    root.mkdir()
    settings = FolderSettings(str(root), (), (), most_ended=5, settle_seconds=0, kept_days=30)
    watching = replace(app.config["PORTAL"], feature_settings={"watched_folder": settings})
    monkeypatch.setitem(app.config, "PORTAL", watching)
    monkeypatch.setattr(imports_folder, "REST", timedelta(seconds=-1))
    administrator(client)
    return Drop(app, root)


def states():
    """What became of each file, by name, in the order in which they were taken."""
    rows = db.session.execute(select(FolderFile.name, FolderFile.state).order_by(FolderFile.id))
    return [(name, state) for name, state in rows]


def leaving(number):
    return row(number, valid_to="2025-06-30")


def test_a_night_of_files(client, drop):
    drop.put("monday.csv", csv_of(FORCE))
    drop.pass_a_minute()
    assert states() == [("monday.csv", "imported")]
    assert drop.files() == {"done/roster/default/monday.csv"}

    drop.put("again.csv", csv_of(FORCE))
    drop.put("bad.csv", csv_of(bad_roster()))
    drop.put("leavers.csv", csv_of([*map(leaving, ("N0", "N1", "N2")), *FORCE[3:]]))
    drop.put("later.csv", csv_of([row("N99")]))
    drop.pass_a_minute()

    assert states()[1:] == [("again.csv", "repeated"), ("bad.csv", "quarantined"), ("leavers.csv", "waiting")]
    assert drop.files() == {
        "done/roster/default/monday.csv", "done/roster/default/again.csv",
        "quarantine/roster/default/bad.csv", "waiting/roster/default/leavers.csv",
        "incoming/roster/default/later.csv",
    }  # fmt: skip
    page = client.page("/imports")
    assert "roster/default/leavers.csv waits for you" in page.text
    assert "It would end 3 of 21 posts (14%). A person has to confirm more than 5%." in page.text
    assert "roster/default/bad.csv was set aside" in page.text
    assert "The watched folder" in page.text

    page = client.press(client.page(page.links["Look at the check of leavers.csv"]), "Check again")
    assert "This file came from the watched folder and waits for you. It would end 3 of 21" in page.text
    assert [person[1] for person in sections(page)["People who leave"]] == ["N0", "N1", "N2"]
    client.press(page, "Apply the import")
    drop.pass_a_minute()

    assert states()[3:] == [("leavers.csv", "imported"), ("later.csv", "imported")]
    assert {"done/roster/default/leavers.csv", "done/roster/default/later.csv"} < drop.files()
    assert not [place for place in drop.files() if place.startswith(("incoming", "waiting"))]
    runs = db.session.execute(select(ImportRun.file_name, ImportRun.from_folder, ImportRun.ended_as)).all()
    assert ("leavers.csv", True, "applied") in runs
    agents = set(
        db.session.scalars(
            select(AuditEvent.agent).where(
                AuditEvent.action.in_(
                    (
                        "import.begun",
                        "roster.imported",
                        "folder.waiting",
                        "folder.quarantined",
                        "folder.repeated",
                    )
                ),
                AuditEvent.channel == "job",
            )
        )
    )
    assert agents == {"watched folder"}


def test_an_older_file_that_comes_again_waits_for_a_person(drop):
    drop.put("monday.csv", csv_of([row("N1")]))
    drop.put("tuesday.csv", csv_of([row("N1", rank_or_grade="Sergeant")]))
    drop.put("monday.csv", csv_of([row("N1")]))  # over the first, before it was taken
    drop.pass_a_minute()
    drop.put("tuesday.csv", csv_of([row("N1", rank_or_grade="Sergeant")]))
    drop.pass_a_minute()

    assert states() == [("tuesday.csv", "imported"), ("monday.csv", "imported"), ("tuesday.csv", "waiting")]
    [reason] = db.session.scalars(select(FolderFile.reasons).where(FolderFile.state == "waiting")).one()
    assert "and others after it. It would undo those." in reason


def test_a_mail_gives_the_reasons_line_by_line_and_no_value_of_the_file(drop):
    drop.put("bad.csv", csv_of(bad_roster()))
    drop.put("bad.csv", csv_of(bad_roster()), profile="nobody’s")
    drop.pass_a_minute()
    [message] = db.session.scalars(select(Message).where(Message.kind == MessageKind.FOLDER))
    with transaction():
        named = update(PersonName).where(PersonName.person_id == message.person_id)
        db.session.execute(named.values(email="neil@westshire.example"))
    hours = SendWindow()
    with open_office() as office, time_machine.travel(hours.next_allowed(message.not_before), tick=False):
        relay = Relay("127.0.0.1", office.port, sender="Portal <learning@westshire.example>", tls="none")
        send_due_messages(SendingSettings(relay, hours, "https://learning.westshire.example", "Westshire"))
        [mail] = office.to("neil@westshire.example")

    assert mail["Subject"] == "2 files were not imported"
    text = mail.get_body(("plain",)).get_content()
    assert "roster/default/bad.csv was set aside:" in text
    assert "- Line 4: surname is empty." in text
    assert "valid_from ‘…’ is not a date." in text
    assert "email ‘…’ is that of … too." in text
    assert "is not one of" in text, "the profile is unknown"
    lines = [line for line in text.splitlines() if line.startswith("- Line ")]
    assert len(lines) == len(BAD)
    for bad, _, _ in BAD:
        cells = [cell for cell in bad.values() if cell and cell not in {"yes", "response"}]
        assert [(line, cell) for line in lines for cell in cells if cell in line] == []
    assert "G1" not in "".join(lines)


def test_named_people_get_one_mail_for_a_night(app, drop, monkeypatch):
    config = app.config["PORTAL"]
    own = replace(config.feature_settings["watched_folder"], readers=("HR1", "NOBODY"))
    named = replace(config, feature_settings={"watched_folder": own})
    monkeypatch.setitem(app.config, "PORTAL", named)
    reader = make_person(make_unit("Human resources"), staff_number="HR1")
    for night in ("1.csv", "2.csv"):
        drop.put(night, b"no,roster\n1,2\n")
        drop.pass_a_minute()

    mails = db.session.scalars(select(Message).where(Message.kind == MessageKind.FOLDER)).all()
    assert [mail.person_id for mail in mails] == [reader]
    assert len(db.session.scalars(select(NoticeLine)).all()) == 2


def test_what_is_no_plain_file_of_a_known_owner_is_never_opened(client, drop, tmp_path, monkeypatch):
    secret = tmp_path / "secret.csv"
    secret.write_bytes(csv_of(FORCE))
    folder = drop.put("large.csv", csv_of(FORCE)).parent
    (folder / "link.csv").symlink_to(secret)
    (folder / "hard.csv").hardlink_to(secret)
    os.mkfifo(folder / "pipe.csv")
    (folder / "directory.csv").mkdir()
    (folder.parent / "loose.csv").write_bytes(csv_of(FORCE))
    monkeypatch.setattr(imports_folder, "MOST_BYTES", 100)

    drop.pass_a_minute()

    reasons = dict(db.session.execute(select(FolderFile.name, FolderFile.reasons)).all())
    assert {name: words[0].split(":")[0] for name, words in reasons.items()} == {
        "link.csv": "It is no ordinary file, but a link, a folder or a device.",
        "pipe.csv": "It is no ordinary file, but a link, a folder or a device.",
        "hard.csv": "It has a second name on this machine (a hard link).",
        "large.csv": "It is larger than 0 MB",
    }
    assert secret.read_bytes() == csv_of(FORCE)
    assert db.session.scalars(select(ImportRun)).all() == []
    text = client.page("/imports").text
    assert "roster/default/directory.csv is a folder, and stays where it is." in text
    assert "roster/loose.csv is in no profile’s folder." in text


@pytest.mark.parametrize("name", ["\x01..", "\x02.", "\x03"], ids=["parent", "itself", "nothing"])
def test_a_file_whose_name_cannot_be_shown_is_taken_all_the_same(drop, name):
    drop.put(name, b"x")

    drop.pass_a_minute()

    assert states() == [("file", "quarantined")]
    assert drop.files() == {"quarantine/roster/default/file"}


def test_a_file_of_another_user_is_set_aside(drop, monkeypatch):
    drop.put("theirs.csv", csv_of(FORCE))
    own = os.geteuid()
    monkeypatch.setattr("portal.features.watched_folder.folder.os.geteuid", lambda: own + 1)

    drop.pass_a_minute()

    assert states() == [("theirs.csv", "quarantined")]
    assert "IMPORT_FOLDER_OWNERS" in db.session.scalars(select(FolderFile.reasons)).one()[0]


def test_a_file_that_is_still_written_is_not_touched(app, drop, monkeypatch):
    config = app.config["PORTAL"]
    own = replace(config.feature_settings["watched_folder"], settle_seconds=120)
    settled = replace(config, feature_settings={"watched_folder": own})
    monkeypatch.setitem(app.config, "PORTAL", settled)
    drop.put("now.csv", csv_of(FORCE))
    drop.put("upload.csv.filepart", csv_of(FORCE)[:200])
    drop.pass_a_minute()
    assert states() == []
    assert db.session.get_one(FolderLook, 1).arrived == 2

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=3)):
        drop.pass_a_minute()
    assert states() == [("now.csv", "imported")]
    assert "incoming/roster/default/upload.csv.filepart" in drop.files()


class PowerCutError(BaseException):
    """As if the machine had stopped."""


def test_an_import_that_was_cut_off_before_the_file_was_moved_is_not_done_again(drop, monkeypatch):
    drop.put("night.csv", csv_of(FORCE))

    def stop(*_given):
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr("portal.features.watched_folder.folder.WatchedFolder.put_away", stop)
        with pytest.raises(PowerCutError):
            drop.pass_a_minute()
    db.session.rollback()
    assert "waiting/roster/default/night.csv" in drop.files()
    with transaction():
        db.session.execute(update(Job).values(state="waiting", claim=None))
    drop.pass_a_minute()

    assert states() == [("night.csv", "imported")]
    assert drop.files() == {"done/roster/default/night.csv"}
    assert len(db.session.scalars(select(ImportRun)).all()) == 1


def test_a_file_that_was_written_on_while_it_was_read_is_taken_once_more(drop, monkeypatch):
    first, rest = csv_of(FORCE[:3]), csv_of(FORCE)[len(csv_of(FORCE[:3])) :]
    path = drop.put("slow.csv", first)
    with path.open("ab") as writer:
        writes = iter([rest])
        record = imports_folder.record_file

        def record_while_written(*given, **more):
            row = record(*given, **more)
            writer.write(next(writes, b""))
            writer.flush()
            return row

        monkeypatch.setattr(imports_folder, "record_file", record_while_written)
        drop.pass_a_minute()
        drop.pass_a_minute()

    assert states() == [("slow.csv", "imported"), ("slow.csv", "imported")]
    assert drop.files() == {"done/roster/default/slow.csv"}
    assert (next(drop.root.glob("done/*/roster/default/slow.csv"))).read_bytes() == csv_of(FORCE)


def test_a_file_that_nobody_confirms_within_a_week_is_set_aside(drop):
    drop.put("all.csv", csv_of(FORCE))
    drop.put("end.csv", csv_of([*map(leaving, ("N0", "N1", "N2"))]))
    drop.pass_a_minute()
    assert states()[1:] == [("end.csv", "waiting")]

    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        drop.pass_a_minute()
        drop.pass_a_minute()

    assert states()[1:] == [("end.csv", "quarantined")]
    assert drop.files() == {"done/roster/default/all.csv", "quarantine/roster/default/end.csv"}
    with time_machine.travel(datetime.now(UTC) + timedelta(days=40)):
        drop.pass_a_minute()
    assert drop.files() == set()


def test_a_new_value_is_asked_about_once_for_all_files(client, drop):
    place = make_unit("Westshire Police")
    person = make_person(place, staff_number="W1")
    make_version("respond", title="Respond: at the scene")
    heads = ("Staff number", "Course", "Completed", "System")
    mapping = ColumnMapping(
        "completion",
        {
            "person": "Staff number",
            "requirement": "Course",
            "achieved_at": "Completed",
            "source_system": "System",
        },
        {"requirement_kind": "", "score_scaled": "", "outcome": "", "evidence": ""},
    )
    with transaction():
        saved = {"kind": "completions", "name": "Old LMS", "columns": mapping.to_json()}
        saved |= {"saved_by_id": person, "saved_at": datetime(2026, 1, 1, tzinfo=UTC)}
        db.session.add(ImportProfile(**saved))
    for day in ("14/03/2026", "15/03/2026"):
        rows = [dict(zip(heads, ("W1", "OIC - Respond (NCALT)", day, "Old LMS"), strict=True))]
        drop.put(f"{day[:2]}.csv", csv_of(rows, heads), "Old LMS", "completions")
    drop.pass_a_minute()
    assert states() == [("14.csv", "waiting")]

    page = client.page(client.page("/imports").links["Say what values mean of 14.csv"])
    assert "“OIC - Respond (NCALT)”, 1 row" in page.text
    client.press(client.press(page, "Check the file", answer_0="module/respond"), "Apply the import")
    drop.pass_a_minute()

    assert states() == [("14.csv", "imported"), ("15.csv", "imported")]


def test_the_page_says_when_the_folder_cannot_be_used(client, drop):
    drop.root.rmdir()
    drop.pass_a_minute()

    assert "Files cannot be imported." in client.page("/imports").text
    assert "is no folder that the portal can open" in client.page("/imports").text


def test_the_doctor_says_what_is_missing_or_shut(app, drop, monkeypatch):
    def find():
        (finding,) = imports_folder.examine_folder(app.config["PORTAL"])
        return finding.state, finding.sentence

    assert find() == ("NOTE", f"{drop.root} has no profile's folder yet, such as incoming/roster/default.")
    drop.put("night.csv", csv_of(FORCE))
    drop.pass_a_minute()
    assert find() == ("OK", f"{drop.root} is watched: 1 folder of profiles.")
    monkeypatch.setattr(watched_folder, "_is_open", lambda folder: folder.name != "default")
    assert "incoming/roster/default cannot be written" in find()[1]
    monkeypatch.setattr(watched_folder, "_is_open", lambda folder: False)
    assert find() == ("PROBLEM", f"{drop.root}/waiting cannot be written: make the portal's user its owner.")


def test_a_file_that_breaks_the_portal_is_set_aside_and_holds_up_no_other(drop, monkeypatch):
    check = imports_folder.CHECKS["roster"]

    def fail_once(sheet, mapping, tell):
        if sheet.rows == 1:
            raise ZeroDivisionError
        return check(sheet, mapping, tell)

    monkeypatch.setitem(imports_folder.CHECKS, "roster", fail_once)
    drop.put("poison.csv", csv_of([row("N1")]))
    drop.put("good.csv", csv_of(FORCE))
    drop.pass_a_minute()

    assert states() == [("poison.csv", "quarantined"), ("good.csv", "imported")]


def test_a_file_with_the_longest_name_that_comes_twice_keeps_back_no_other(drop):
    longest = "é" * 125 + "f.csv"  # 255 bytes, as many as a file system takes
    assert len(longest.encode()) == 255
    for again in range(3):
        drop.put(longest, csv_of([row(f"L{again}")]))
        drop.put(f"next-{again}.csv", csv_of([row(f"M{again}")]))
        drop.pass_a_minute()

    assert [state for _, state in states()] == ["imported"] * 6
    assert len([place for place in drop.files() if place.startswith("done/")]) == 6


def test_a_file_that_cannot_be_put_away_keeps_back_no_other(drop, monkeypatch):
    healthy = watched_folder.WatchedFolder.choose_place

    def choose_or_fail(self, folder, day, entry):
        if entry.name == "b.csv":
            raise OSError(36, "File name too long")
        return healthy(self, folder, day, entry)

    monkeypatch.setattr(watched_folder.WatchedFolder, "choose_place", choose_or_fail)
    for name in "abc":
        drop.put(f"{name}.csv", csv_of([row(f"N{name}")]))

    with pytest.raises(AssertionError, match="1 file failed"):  # the reason of the job
        drop.pass_a_minute()

    assert states() == [("a.csv", "imported"), ("c.csv", "imported")]
    monkeypatch.undo()


def test_a_role_that_looks_mistyped_waits_for_a_person(client, drop):
    drop.put("monday.csv", csv_of(FORCE))
    drop.pass_a_minute()
    drop.put("tuesday.csv", csv_of([row("N99", designated_role="respnse")]))
    drop.pass_a_minute()

    assert states() == [("monday.csv", "imported"), ("tuesday.csv", "waiting")]
    page = client.page("/imports")
    assert "A person has to confirm 1 new rank or role of it" in page.text
    page = client.page(page.links["Look at the check of tuesday.csv"])
    assert "The role “respnse” is new" in page.text
    client.press(page, "Apply the import")
    assert person_by_staff_number("N99")
