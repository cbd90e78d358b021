"""The directives commands: files in, versions, exclusions and assignments out; refusals by name."""

from datetime import date

import pytest
from sqlalchemy import func, select

from portal.domain.directives.models import Assignment, Directive, DirectiveVersion, Exclusion, Requirement
from portal.domain.directives.services import reconcile_all
from portal.domain.people.models import FactNote
from portal.domain.people.positions import is_known_fact
from portal.domain.status import recording
from portal.domain.status.models import OPEN_KNOWN, StatusPeriod
from portal.domain.status.projector import rebuild_status
from portal.domain.status.recording import stage_version
from portal.platform.db import db, transaction
from tests.domain.status.facts import add_activity
from tests.factories.people import make_person, make_unit

DIRECTIVE = """
reference = "OIC-1"
title = "Organised immigration crime e-learning"
source = "Inspection recommendation"
wording = "Complete the modules."
owner = "D4001"
effective_on = 2025-09-01
target = 0.95
notice_days = [30, 7, 1]
expiring_days = 60

[due]
on = 2026-04-30
days_after_joining = 60

[[audience]]
designated_role = ["response", "contact"]
unit_under = "Westshire Police/Local Policing"

[[audience]]
rank_or_grade = "Inspector"

[[except]]
designated_role = ["student officer"]

[[requirement]]
kind = "module"
key = "first"

[[requirement]]
kind = "module"
key = "second"
"""

ROWS = "staff_number,directive,kind,reason,valid_from,valid_to,due_on,decided_by,comment\n"


@pytest.fixture
def run(app, database):
    """Run a command on a file's text; gives the exit code, what it said and what it refused."""

    def run(tmp_path, command, text="", *options):
        path = tmp_path / "file"
        path.write_text(text, encoding="utf-8")
        file = [str(path)] if text else []
        result = app.test_cli_runner().invoke(args=["directives", command, *file, *options])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def force(database):
    """Two units, an owner, someone in the audience and someone outside it; two published activities."""
    top = make_unit("Westshire Police")
    policing = make_unit("Local Policing", top)
    add_activity("module", "first"), add_activity("module", "second")
    return {
        "policing": policing,
        "owner": make_person(top, staff_number="D4001", role="training"),
        "inside": make_person(policing, staff_number="D1001"),
        "outside": make_person(top, staff_number="D1002"),
        "inspector": make_person(top, staff_number="D1003", role="custody", rank="Inspector"),
        "student": make_person(policing, staff_number="D1004", role="student officer", rank="Inspector"),
    }


def assigned_people():
    """Known assignments by person: their days, due date, and the audience that reached them."""
    rows = db.session.scalars(select(Assignment).where(is_known_fact(Assignment)))
    return {a.person_id: (a.from_on, a.due_on, a.why) for a in rows}


def count_rows(model):
    return db.session.scalar(select(func.count()).select_from(model))


def test_issuing_reaches_the_audience_and_nobody_else(run, force, tmp_path):
    code, said, refused = run(tmp_path, "issue", DIRECTIVE)

    assert (code, refused) == (0, "")
    assert "OIC-1 version 1 takes effect on 2025-09-01" in said
    due = date(2026, 4, 30)
    assert assigned_people() == {
        force["inside"]: (date(2025, 9, 1), due, 1),
        force["inspector"]: (date(2025, 9, 1), due, 2),
    }
    reached = set(db.session.scalars(select(StatusPeriod.person_id)))
    assert reached == {force["inside"], force["inspector"]}


def test_a_dry_run_changes_nothing(run, force, tmp_path):
    code, said, _ = run(tmp_path, "issue", DIRECTIVE, "--dry-run")

    assert code == 0
    assert "People it applies to on any day: 2." in said
    assert "2 people will have to do this.\n  D1001 from 2025-09-01, due 2026-04-30\n  D1003 from" in said
    assert "0 people will no longer have to do this.\n" in said
    assert (count_rows(Directive), count_rows(Assignment), count_rows(StatusPeriod)) == (0, 0, 0)


def test_the_same_file_twice_does_nothing(run, force, tmp_path):
    run(tmp_path, "issue", DIRECTIVE)
    code, said, _ = run(tmp_path, "issue", DIRECTIVE)

    assert code == 0
    assert "already says this" in said
    assert count_rows(DirectiveVersion) == 1


def test_a_changed_file_needs_a_later_day(run, force, tmp_path):
    run(tmp_path, "issue", DIRECTIVE)
    code, _, refused = run(tmp_path, "issue", DIRECTIVE.replace("2026-04-30", "2026-06-30"))

    assert code == 1
    assert "effective_on: version 1 of OIC-1 takes effect on 2025-09-01" in refused
    assert count_rows(DirectiveVersion) == 1


def test_a_later_version_keeps_the_position_of_its_activities(run, force, tmp_path):
    run(tmp_path, "issue", DIRECTIVE)
    add_activity("module", "third")
    head, _, _ = DIRECTIVE.partition("[[requirement]]")
    later = head.replace("2025-09-01", "2026-03-01") + "".join(
        f'[[requirement]]\nkind = "module"\nkey = "{key}"\n' for key in ("third", "second")
    )
    code, _, refused = run(tmp_path, "issue", later)

    assert (code, refused) == (0, "")
    newest = select(DirectiveVersion.id).where(DirectiveVersion.number == 2).scalar_subquery()
    positions = select(Requirement.position).where(Requirement.directive_version_id == newest)
    assert sorted(db.session.scalars(positions)) == [2, 3]


def test_a_withdrawn_directive_ends_every_assignment_on_the_day_before(run, force, tmp_path):
    run(tmp_path, "issue", DIRECTIVE)
    later = DIRECTIVE.replace("2025-09-01", "2026-03-01").replace("target", "withdrawn = true\ntarget")
    code, _, refused = run(tmp_path, "issue", later)

    assert (code, refused) == (0, "")
    ends = set(db.session.scalars(select(Assignment.to_on).where(is_known_fact(Assignment))))
    assert ends == {date(2026, 2, 28)}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("title", "tittle", "tittle: is not a known key"),
        ('wording = "Complete the modules."', "", "wording: write a text"),
        ("2025-09-01", '"2025-09-01"', "effective_on: write a date without quotes"),
        ("target = 0.95", "target = 95", "target: write the share"),
        ("[30, 7, 1]", "[30, -7]", "notice_days: write days"),
        ("days_after_joining = 60", "days = 60", "due.days: is not a known key"),
        (
            "days_after_joining = 60",
            "days_after_joining = -1",
            "due.days_after_joining: write a whole number",
        ),
        ("[due]", '[validity]\nyearly_on = "02-29"\nminimum_gap_months = 6\n[due]', "validity.yearly_on"),
        ("[due]", '[validity]\nyearly_on = "04-30"\n[due]', "go together"),
        (
            "[due]",
            "[validity]\nmonths = 24\nyearly_on = '04-30'\nminimum_gap_months = 6\n[due]",
            "either months",
        ),
        (
            'designated_role = ["response", "contact"]',
            "role = 'response'",
            "audience 1: role: is not a known key",
        ),
        ('rank_or_grade = "Inspector"', "", "audience 2: name at least one of"),
        ('rank_or_grade = "Inspector"', "rank_or_grade = []", "audience 2: rank_or_grade: write a text"),
        ("Local Policing", "Lost Policing", "no unit has the path 'Westshire Police/Lost Policing'"),
        ("D4001", "D4999", "owner: Nobody has the staff number D4999"),
        ('key = "second"', 'key = "secund"', "requirement 2: there is no module 'secund'"),
        ('key = "second"', 'key = "first"', "requirement 2: module first is listed twice"),
        (
            'kind = "module"\nkey = "second"',
            'kind = "film"\nkey = "second"',
            "requirement 2: kind: write one of",
        ),
        ("reference =", "reference", "The file is not TOML"),
    ],
)
def test_a_fault_is_named_and_nothing_is_issued(run, force, tmp_path, old, new, reason):
    assert old in DIRECTIVE
    code, said, refused = run(tmp_path, "issue", DIRECTIVE.replace(old, new, 1))

    assert (code, said) == (1, "")
    assert reason in refused
    assert refused.startswith("file: ")
    assert count_rows(Directive) == 0


def test_a_wrong_use_ends_with_2(run, tmp_path):
    assert run(tmp_path, "issue")[0] == 2


def known_exclusions():
    rows = db.session.scalars(select(Exclusion).where(is_known_fact(Exclusion)).order_by(Exclusion.id))
    return [(e.exempt, e.reason, e.from_on, e.to_on, e.due_on) for e in rows]


def test_exclusions_are_recorded_once_and_can_be_corrected(run, force, tmp_path):
    run(tmp_path, "issue", DIRECTIVE)
    rows = (
        ROWS
        + "D1001,OIC-1,exemption,secondment,2026-01-01,,,D4001,On loan\n"
        + "D1003,OIC-1,deferral,leaving,2026-04-01,2026-06-30,,D4001,\n"
    )
    assert run(tmp_path, "exclude", rows)[:2] == (0, "2 added, 0 corrected, 0 already recorded.\n")
    assert run(tmp_path, "exclude", rows)[:2] == (0, "0 added, 0 corrected, 2 already recorded.\n")
    ended = rows.replace("2026-01-01,,", "2026-01-01,2026-02-28,")
    assert run(tmp_path, "exclude", ended)[:2] == (0, "0 added, 1 corrected, 1 already recorded.\n")

    assert known_exclusions() == [
        (False, "leaving", date(2026, 4, 1), date(2026, 6, 30), date(2026, 8, 29)),
        (True, "secondment", date(2026, 1, 1), date(2026, 2, 28), None),
    ]
    assert set(db.session.scalars(select(FactNote.text))) == {"On loan"}


def test_a_dry_run_of_exclusions_changes_nothing(run, force, tmp_path):
    run(tmp_path, "issue", DIRECTIVE)
    rows = ROWS + "D1001,OIC-1,exemption,secondment,2026-01-01,,,D4001,\n"

    assert run(tmp_path, "exclude", rows, "--dry-run")[0] == 0
    assert known_exclusions() == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("D9999,OIC-1,exemption,other,2026-01-01,,,D4001,", "staff_number: 'D9999': nobody has this"),
        ("D1001,OIC-9,exemption,other,2026-01-01,,,D4001,", "directive: 'OIC-9': there is no such"),
        ("D1001,OIC-1,pardon,other,2026-01-01,,,D4001,", "kind: write one of exemption, deferral"),
        ("D1001,OIC-1,exemption,flu,2026-01-01,,,D4001,", "reason: write one of maternity_or_parental"),
        ("D1001,OIC-1,exemption,other,1 May,,,D4001,", "valid_from: '1 May': write a date"),
        ("D1001,OIC-1,exemption,other,2026-05-01,2026-04-01,,D4001,", "valid_to: is before valid_from"),
        ("D1001,OIC-1,exemption,other,2026-05-01,,2026-06-01,D4001,", "due_on: is for a deferral only"),
        ("D1001,OIC-1,deferral,other,2026-05-01,,,D4001,", "due_on: a deferral needs it"),
        ("D1001,OIC-1,exemption,other,2026-05-01,,,,", "decided_by: '': nobody has this staff number"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_nothing_is_recorded(run, force, tmp_path, row, reason):
    run(tmp_path, "issue", DIRECTIVE)
    good = "D1003,OIC-1,exemption,other,2026-01-01,,,D4001,\n"
    code, _, refused = run(tmp_path, "exclude", ROWS + good + row + "\n")

    assert code == 1
    assert "file: Line 3: " in refused
    assert reason in refused
    assert known_exclusions() == []


def test_reconcile_finds_nothing_where_all_follows(run, force, tmp_path):
    run(tmp_path, "issue", DIRECTIVE)

    assert run(tmp_path, "reconcile", "", "--rebuild")[:2] == (0, "0 differences.\n")


def test_reconcile_reports_and_mends_what_does_not_follow(run, force, tmp_path):
    run(tmp_path, "issue", DIRECTIVE)
    spans = set(db.session.scalars(select(StatusPeriod.id)))
    gone = min(spans)
    db.session.delete(db.session.get(StatusPeriod, gone))
    db.session.commit()

    code, said, _ = run(tmp_path, "reconcile", "", "--rebuild", "--dry-run")
    assert (code, said.splitlines()[1:]) == (0, ["1 differences.", "Dry run: nothing was changed."])
    assert "1 spans missing, 0 too many" in said
    run(tmp_path, "reconcile", "", "--rebuild")

    assert run(tmp_path, "reconcile", "", "--rebuild")[1] == "0 differences.\n"
    open_rows = db.session.scalars(select(StatusPeriod.id).where(StatusPeriod.known_to == OPEN_KNOWN))
    assert len(list(open_rows)) == len(spans)


def test_the_projection_is_computed_before_the_lock(run, force, tmp_path, monkeypatch):
    locked = []

    def stage(proposal, tell):
        locked.append("stamp" in db.session.info)
        return stage_version(proposal)

    monkeypatch.setattr(recording, "stage_version", stage)

    assert run(tmp_path, "issue", DIRECTIVE)[0] == 0
    assert locked == [False]
    assert set(db.session.scalars(select(StatusPeriod.person_id))) == {force["inside"], force["inspector"]}
    assert (reconcile_all(), rebuild_status()) == ([], [])


def test_someone_who_joins_before_the_lock_is_assigned_too(run, force, tmp_path, monkeypatch):
    joined = []

    def stage(proposal, tell):
        staged = stage_version(proposal)
        with transaction():
            joined.append(make_person(force["policing"], staff_number="D1005"))
        return staged

    monkeypatch.setattr(recording, "stage_version", stage)

    assert run(tmp_path, "issue", DIRECTIVE)[0] == 0
    assert set(assigned_people()) == {force["inside"], force["inspector"], *joined}
    assert (reconcile_all(), rebuild_status()) == ([], [])
