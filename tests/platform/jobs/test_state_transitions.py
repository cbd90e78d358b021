"""Who runs a job, how it ends, and what becomes of one that was cut off; on both databases."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from portal.commands.jobs import make_worker_setup
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, newest_stamp, transaction
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError
from portal.platform.jobs import registry, services
from portal.platform.jobs.models import CancelledError, Job, JobState
from portal.platform.jobs.registry import JobProgress
from portal.platform.jobs.worker import UNEXPECTED, UNKNOWN, JobRunner
from tests.jobs import run_job
from tests.pages.monitoring.counting import statements

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KIND = "of-a-test"


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch) -> list[registry.Run]:
    """What a job of the kind KIND does: the last function of the list."""
    acts: list[registry.Run] = [lambda job, arguments: None]
    task = registry.Task(KIND, "A job of a test", lambda job, arguments: acts[-1](job, arguments))
    monkeypatch.setitem(registry.TASKS_BY_KIND, KIND, task)
    return acts


@pytest.fixture
def runner(app: Flask, database: None, does: list[registry.Run]) -> JobRunner:
    """Runs jobs in this process."""
    return JobRunner(make_worker_setup(app), Event())


def start_job(**arguments: object) -> UUID:
    with transaction():
        return services.start_job(KIND, arguments, by=None, at=clock.now())


def get_job(reference: UUID) -> Job:
    statement = select(Job).where(Job.reference == reference)
    return db.session.scalars(statement.execution_options(populate_existing=True)).one()


def silent_since(reference: UUID, then: datetime) -> None:
    with transaction():
        db.session.execute(update(Job).where(Job.reference == reference).values(heartbeat_at=then))


def test_a_job_is_done_and_keeps_its_result(runner, does):
    does.append(lambda progress, arguments: {"twice": arguments["n"] * 2})
    reference = start_job(n=21)

    run_job(runner, reference)

    done = get_job(reference)
    assert (done.state, done.result, done.runs, done.reason) == ("done", {"twice": 42}, 1, "")
    assert done.asked_at <= done.started_at <= done.ended_at


def test_only_one_may_claim_a_job(database, does):
    reference = start_job()

    first, second = registry.claim_job(reference, NOW), registry.claim_job(reference, NOW)

    assert first is not None
    assert second is None
    assert registry.claim_job(uuid4(), NOW) is None
    assert get_job(reference).runs == 1


def test_nothing_takes_the_stamp(runner, does):
    before = newest_stamp()
    does.append(lambda progress, arguments: progress.report_progress(1, 2, "Half"))

    run_job(runner, start_job())

    assert newest_stamp() == before


def test_progress_is_seen_while_the_job_runs(runner, does):
    seen = []

    def act(progress: JobProgress, arguments: registry.Arguments) -> None:
        progress.report_progress(3, 12, "Reading")
        found = get_job(progress.reference)
        seen.append((found.state, found.done, found.total, found.said))

    does.append(act)
    run_job(runner, start_job())

    assert seen == [("running", 3, 12, "Reading")]


def test_what_refuses_fails_the_job_with_its_sentence(runner, does):
    def act(progress: JobProgress, arguments: registry.Arguments) -> None:
        raise BadInputError(["Line 3: no such unit.", "Line 9: no such rank."])

    does.append(act)
    reference = start_job()
    run_job(runner, reference)

    assert get_job(reference).state == "failed"
    assert get_job(reference).reason == "Line 3: no such unit.\nLine 9: no such rank."


def test_of_a_thousand_reasons_a_hundred_are_kept(runner, does):
    def act(progress: JobProgress, arguments: registry.Arguments) -> None:
        raise BadInputError([f"Line {number}: no such unit." for number in range(1, 1301)])

    does.append(act)
    reference = start_job()
    run_job(runner, reference)

    kept = get_job(reference).reason.splitlines()
    assert (len(kept), kept[99], kept[100]) == (101, "Line 100: no such unit.", "1,200 more.")


def test_a_fault_fails_the_job_and_undoes_its_transaction(runner, does):
    other = start_job()

    def act(progress: JobProgress, arguments: registry.Arguments) -> None:
        with transaction():
            db.session.execute(update(Job).where(Job.reference == other).values(said="half done"))
            raise ZeroDivisionError("secret words")

    does.append(act)
    reference = start_job()
    run_job(runner, reference)

    assert (get_job(reference).state, get_job(reference).reason) == ("failed", UNEXPECTED)
    assert get_job(other).said == ""


def test_a_kind_that_nobody_does_any_more_fails_with_a_sentence(runner, does, monkeypatch):
    reference = start_job()
    monkeypatch.delitem(registry.TASKS_BY_KIND, KIND)

    run_job(runner, reference)

    assert (get_job(reference).state, get_job(reference).reason) == ("failed", UNKNOWN)
    with pytest.raises(RuleError, match="of-a-test"), transaction():
        services.start_job(KIND, {}, by=None, at=NOW)


def test_a_waiting_job_that_is_cancelled_never_runs(runner, does):
    ran = []
    does.append(lambda progress, arguments: ran.append(1))
    reference = start_job()
    with transaction():
        services.cancel_job(reference, by=None, at=NOW)

    run_job(runner, reference)

    assert (get_job(reference).state, ran) == ("cancelled", [])


def test_a_running_job_hears_that_it_is_cancelled_before_it_applies(runner, does):
    reached = []

    def act(progress: JobProgress, arguments: registry.Arguments) -> None:
        with transaction():
            services.cancel_job(progress.reference, by=None, at=NOW)
        progress.report_progress(1, 2)
        reached.append("applied")

    does.append(act)
    reference = start_job()
    run_job(runner, reference)

    assert (get_job(reference).state, reached) == ("cancelled", [])


def test_a_job_concluded_with_its_facts_is_done_with_them_or_not_at_all(runner, does):
    other = start_job()

    def applies(cancelled: bool) -> registry.Run:
        def act(progress: JobProgress, arguments: registry.Arguments) -> None:
            progress.report_progress(0, 1)
            if cancelled:
                with transaction():
                    services.cancel_job(progress.reference, by=None, at=NOW)
            with transaction():
                db.session.execute(update(Job).where(Job.reference == other).values(done=Job.done + 1))
                progress.report_progress(1, 1, "Inside the transaction")
                progress.conclude_job({"said": "Applied."})

        return act

    does.append(applies(cancelled=False))
    reference = start_job()
    run_job(runner, reference)
    assert (get_job(reference).state, get_job(reference).result, get_job(other).done) == (
        "done",
        {"said": "Applied."},
        1,
    )

    does.append(applies(cancelled=True))
    reference = start_job()
    run_job(runner, reference)
    assert (get_job(reference).state, get_job(other).done) == ("cancelled", 1)


def test_a_run_that_was_given_up_writes_nothing_more(database, does):
    reference = start_job()
    first = registry.claim_job(reference, NOW)
    silent_since(reference, NOW - timedelta(minutes=1))
    assert registry.requeue_lost_jobs(NOW - timedelta(seconds=30), NOW, frozenset()) == [reference]
    second = registry.claim_job(reference, NOW)

    with pytest.raises(CancelledError):
        JobProgress(first).report_progress(1, 2)
    with pytest.raises(CancelledError), transaction():
        JobProgress(first).conclude_job()
    assert not registry.end_job(first, JobState.FAILED, NOW)
    assert registry.end_job(second, JobState.DONE, NOW)
    assert get_job(reference).state == "done"


def test_a_job_cut_off_three_times_fails_with_a_reason(database, does):
    reference, late = start_job(), NOW - timedelta(seconds=31)
    found = []
    for _ in range(3):
        registry.claim_job(reference, NOW)
        silent_since(reference, late)
        found.append(registry.requeue_lost_jobs(NOW - timedelta(seconds=30), NOW, frozenset()))

    assert found == [[reference], [reference], []]
    assert (get_job(reference).state, get_job(reference).runs) == ("failed", 3)
    assert "stopped in the middle of it 3 times" in get_job(reference).reason


def test_a_job_that_shows_life_or_is_this_process_s_own_stays(database, does):
    lively, own = start_job(), start_job()
    for reference in (lively, own):
        registry.claim_job(reference, NOW)
    silent_since(own, NOW - timedelta(hours=1))

    assert registry.requeue_lost_jobs(NOW - timedelta(seconds=30), NOW, frozenset({own})) == []


def test_a_worker_that_ends_gives_its_job_back_uncounted(runner, does):
    def act(progress: JobProgress, arguments: registry.Arguments) -> None:
        runner.stopping.set()
        progress.report_progress(1, 2)

    does.append(act)
    reference = start_job()
    run_job(runner, reference)

    assert (get_job(reference).state, get_job(reference).runs, get_job(reference).claim) == (
        "waiting",
        0,
        None,
    )


def test_again_runs_a_failed_job_from_its_start(runner, does):
    reference = start_job(n=1)

    def act(progress: JobProgress, arguments: registry.Arguments) -> None:
        progress.report_progress(1, 2, "Half")
        raise RuleError("Not today.")

    does.append(act)
    run_job(runner, reference)
    with transaction():
        services.retry_job(reference, by=None, at=NOW)
    assert (get_job(reference).state, get_job(reference).reason, get_job(reference).done) == (
        "waiting",
        "",
        0,
    )

    does.append(lambda progress, arguments: arguments)
    run_job(runner, reference)
    assert (get_job(reference).state, get_job(reference).result) == ("done", {"n": 1})


def test_what_ended_cannot_be_cancelled_nor_what_waits_be_tried_again(runner, does):
    reference = start_job()
    with pytest.raises(ConflictError, match="waiting"), transaction():
        services.retry_job(reference, by=None, at=NOW)
    run_job(runner, reference)
    with pytest.raises(ConflictError, match="done already"), transaction():
        services.cancel_job(reference, by=None, at=NOW)
    for act in (services.cancel_job, services.retry_job):
        with pytest.raises(NotFoundError), transaction():
            act(uuid4(), by=None, at=NOW)


def test_asking_and_cancelling_are_in_the_audit_trail(database, does):
    reference = start_job()
    with transaction():
        services.cancel_job(reference, by=None, at=NOW)
        services.retry_job(reference, by=None, at=NOW)

    said = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.action.like("job.%")).order_by(AuditEvent.id)
    ).all()
    assert said == ["job.asked", "job.cancelled", "job.asked_again"]


def test_a_failure_is_in_the_audit_trail_however_the_job_came_to_it(runner, does):
    def act(progress: JobProgress, arguments: registry.Arguments) -> None:
        raise BadInputError(["Line 3: no such unit."])

    does.append(act)
    refused, lost = start_job(), start_job()
    run_job(runner, refused)
    for _ in range(3):
        registry.claim_job(lost, NOW)
        registry.requeue_lost_jobs(NOW + timedelta(seconds=1), NOW, frozenset())

    failed = select(AuditEvent).where(AuditEvent.action == "job.failed").order_by(AuditEvent.id)
    failures = db.session.scalars(failed).all()

    assert [(event.outcome, event.detail["job"]) for event in failures] == [
        ("failed", str(refused)), ("failed", str(lost))
    ]  # fmt: skip
    assert (failures[0].channel, failures[0].request_id) == ("job", str(refused))


def test_only_a_job_whose_transaction_was_committed_is_found(runner, does):
    with suppress(RuleError), transaction():
        services.start_job(KIND, {}, by=None, at=NOW)
        raise RuleError("No.")
    assert registry.find_waiting_job() is None
    assert runner.claim_next_job() is None

    with transaction(), db.session.begin_nested():
        kept = services.start_job(KIND, {}, by=None, at=NOW)

    assert registry.find_waiting_job() == kept
    assert db.session.scalar(select(func.count()).select_from(Job)) == 1


def test_the_job_that_waited_longest_is_claimed_first(runner, does):
    first, second = start_job(), start_job()

    assert [runner.claim_next_job().reference for _ in range(2)] == [first, second]
    assert runner.claim_next_job() is None


def test_a_kind_of_low_priority_is_claimed_by_itself(runner, does, monkeypatch):
    low = registry.Task("low", "A file", lambda job, arguments: None, low_priority=True)
    monkeypatch.setitem(registry.TASKS_BY_KIND, "low", low)
    with transaction():
        files = [services.start_job("low", {}, by=None, at=NOW) for _ in range(2)]
    other = start_job()

    assert runner.claim_next_job().reference == other
    assert runner.claim_next_job() is None
    assert [runner.claim_next_job(low_priority=True).reference for _ in range(2)] == files
    assert runner.claim_next_job(low_priority=True) is None


def test_looking_for_a_job_reads_an_index_and_writes_nothing(runner, does):
    for _ in range(20):
        run_job(runner, start_job())

    with statements() as looks:
        assert runner.claim_next_job() is None

    assert [look.split()[0] for look in looks] == ["SELECT"]
    explain = "EXPLAIN QUERY PLAN"
    if db.engine.dialect.name == "postgresql":
        explain = "EXPLAIN"
        db.session.execute(text("SET LOCAL enable_seqscan = off"))  # so small a table is read as a whole
    query = "SELECT reference FROM job WHERE state = 'waiting' ORDER BY kind IN ('report_file'), id LIMIT 1"
    plan = db.session.execute(text(f"{explain} {query}")).all()
    assert "ix_job_state_id" in str(plan)
