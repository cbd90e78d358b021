"""Who runs a job, how it ends, and what becomes of one that was cut off; on both databases."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal import clock
from portal.audit.models import AuditEvent
from portal.db import db, newest_stamp, transaction
from portal.errors import BadInputError, ConflictError, NotFoundError, RuleError
from portal.jobs import claims, registry, services
from portal.jobs.errors import CancelledError
from portal.jobs.models import Job, State
from portal.jobs.progress import Progress
from portal.jobs.worker import UNEXPECTED, UNKNOWN, Hands

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KIND = "of-a-test"


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch) -> list[registry.Run]:
    """What a job of the kind KIND does: the last function of the list."""
    acts: list[registry.Run] = [lambda job, arguments: None]
    task = registry.Task(KIND, "A job of a test", lambda job, arguments: acts[-1](job, arguments))
    monkeypatch.setitem(registry._tasks, KIND, task)
    return acts


@pytest.fixture
def hands(app: Flask, database: None, does: list[registry.Run]) -> Hands:
    """A worker's hands in this process."""
    return Hands(app, Event())


def asked(**arguments: object) -> UUID:
    with transaction():
        return services.start(KIND, arguments, by=None, at=clock.now())


def job(reference: UUID) -> Job:
    found = select(Job).where(Job.reference == reference).execution_options(populate_existing=True)
    return db.session.scalars(found).one()


def silent_since(reference: UUID, then: datetime) -> None:
    with transaction():
        db.session.execute(update(Job).where(Job.reference == reference).values(heartbeat_at=then))


def test_a_job_is_done_and_keeps_its_result(hands, does):
    does.append(lambda progress, arguments: {"twice": arguments["n"] * 2})
    reference = asked(n=21)

    hands.carry_out(str(reference))

    done = job(reference)
    assert (done.state, done.result, done.runs, done.reason) == ("done", {"twice": 42}, 1, "")
    assert done.asked_at <= done.started_at <= done.ended_at


def test_only_one_may_claim_a_job(database, does):
    reference = asked()

    first, second = claims.claim(reference, NOW), claims.claim(reference, NOW)

    assert first is not None
    assert second is None
    assert claims.claim(uuid4(), NOW) is None
    assert job(reference).runs == 1


def test_nothing_takes_the_stamp(hands, does):
    before = newest_stamp()
    does.append(lambda progress, arguments: progress.tell(1, 2, "Half"))

    hands.carry_out(str(asked()))

    assert newest_stamp() == before


def test_progress_is_seen_while_the_job_runs(hands, does):
    seen = []

    def act(progress: Progress, arguments: registry.Arguments) -> None:
        progress.tell(3, 12, "Reading")
        found = job(progress.reference)
        seen.append((found.state, found.done, found.total, found.said))

    does.append(act)
    hands.carry_out(str(asked()))

    assert seen == [("running", 3, 12, "Reading")]


def test_what_refuses_fails_the_job_with_its_sentence(hands, does):
    def act(progress: Progress, arguments: registry.Arguments) -> None:
        raise BadInputError(["Line 3: no such unit.", "Line 9: no such rank."])

    does.append(act)
    reference = asked()
    hands.carry_out(str(reference))

    assert job(reference).state == "failed"
    assert job(reference).reason == "Line 3: no such unit.\nLine 9: no such rank."


def test_of_a_thousand_reasons_a_hundred_are_kept(hands, does):
    def act(progress: Progress, arguments: registry.Arguments) -> None:
        raise BadInputError([f"Line {number}: no such unit." for number in range(1, 1301)])

    does.append(act)
    reference = asked()
    hands.carry_out(str(reference))

    kept = job(reference).reason.splitlines()
    assert (len(kept), kept[99], kept[100]) == (101, "Line 100: no such unit.", "1,200 more.")


def test_a_fault_fails_the_job_and_undoes_its_transaction(hands, does):
    other = asked()

    def act(progress: Progress, arguments: registry.Arguments) -> None:
        with transaction():
            db.session.execute(update(Job).where(Job.reference == other).values(said="half done"))
            raise ZeroDivisionError("secret words")

    does.append(act)
    reference = asked()
    hands.carry_out(str(reference))

    assert (job(reference).state, job(reference).reason) == ("failed", UNEXPECTED)
    assert job(other).said == ""


def test_a_kind_that_nobody_does_any_more_fails_with_a_sentence(hands, does, monkeypatch):
    reference = asked()
    monkeypatch.delitem(registry._tasks, KIND)

    hands.carry_out(str(reference))

    assert (job(reference).state, job(reference).reason) == ("failed", UNKNOWN)
    with pytest.raises(RuleError, match="of-a-test"), transaction():
        services.start(KIND, {}, by=None, at=NOW)


def test_a_waiting_job_that_is_cancelled_never_runs(hands, does):
    ran = []
    does.append(lambda progress, arguments: ran.append(1))
    reference = asked()
    with transaction():
        services.cancel(reference, by=None, at=NOW)

    hands.carry_out(str(reference))

    assert (job(reference).state, ran) == ("cancelled", [])


def test_a_running_job_hears_that_it_is_cancelled_before_it_applies(hands, does):
    reached = []

    def act(progress: Progress, arguments: registry.Arguments) -> None:
        with transaction():
            services.cancel(progress.reference, by=None, at=NOW)
        progress.tell(1, 2)
        reached.append("applied")

    does.append(act)
    reference = asked()
    hands.carry_out(str(reference))

    assert (job(reference).state, reached) == ("cancelled", [])


def test_a_job_concluded_with_its_facts_is_done_with_them_or_not_at_all(hands, does):
    other = asked()

    def applies(cancelled: bool) -> registry.Run:
        def act(progress: Progress, arguments: registry.Arguments) -> None:
            progress.tell(0, 1)
            if cancelled:
                with transaction():
                    services.cancel(progress.reference, by=None, at=NOW)
            with transaction():
                db.session.execute(update(Job).where(Job.reference == other).values(done=Job.done + 1))
                progress.tell(1, 1, "Inside the transaction")
                progress.conclude({"said": "Applied."})

        return act

    does.append(applies(cancelled=False))
    reference = asked()
    hands.carry_out(str(reference))
    assert (job(reference).state, job(reference).result, job(other).done) == ("done", {"said": "Applied."}, 1)

    does.append(applies(cancelled=True))
    reference = asked()
    hands.carry_out(str(reference))
    assert (job(reference).state, job(other).done) == ("cancelled", 1)


def test_a_run_that_was_given_up_writes_nothing_more(database, does):
    reference = asked()
    first = claims.claim(reference, NOW)
    silent_since(reference, NOW - timedelta(minutes=1))
    assert claims.take_up_again(NOW - timedelta(seconds=30), NOW, frozenset()) == [reference]
    second = claims.claim(reference, NOW)

    with pytest.raises(CancelledError):
        Progress(first).tell(1, 2)
    with pytest.raises(CancelledError), transaction():
        Progress(first).conclude()
    assert not claims.end(first, State.FAILED, NOW)
    assert claims.end(second, State.DONE, NOW)
    assert job(reference).state == "done"


def test_a_job_cut_off_three_times_fails_with_a_reason(database, does):
    reference, late = asked(), NOW - timedelta(seconds=31)
    found = []
    for _ in range(3):
        claims.claim(reference, NOW)
        silent_since(reference, late)
        found.append(claims.take_up_again(NOW - timedelta(seconds=30), NOW, frozenset()))

    assert found == [[reference], [reference], []]
    assert (job(reference).state, job(reference).runs) == ("failed", 3)
    assert "stopped in the middle of it 3 times" in job(reference).reason


def test_a_job_that_shows_life_or_is_this_process_s_own_stays(database, does):
    lively, own = asked(), asked()
    for reference in (lively, own):
        claims.claim(reference, NOW)
    silent_since(own, NOW - timedelta(hours=1))

    assert claims.take_up_again(NOW - timedelta(seconds=30), NOW, frozenset({own})) == []


def test_a_worker_that_ends_gives_its_job_back_uncounted(hands, does):
    def act(progress: Progress, arguments: registry.Arguments) -> None:
        hands.stopping.set()
        progress.tell(1, 2)

    does.append(act)
    reference = asked()
    hands.carry_out(str(reference))

    assert (job(reference).state, job(reference).runs, job(reference).claim) == ("waiting", 0, None)


def test_again_runs_a_failed_job_from_its_start(hands, does):
    reference = asked(n=1)

    def act(progress: Progress, arguments: registry.Arguments) -> None:
        progress.tell(1, 2, "Half")
        raise RuleError("Not today.")

    does.append(act)
    hands.carry_out(str(reference))
    with transaction():
        services.again(reference, by=None, at=NOW)
    assert (job(reference).state, job(reference).reason, job(reference).done) == ("waiting", "", 0)

    does.append(lambda progress, arguments: arguments)
    hands.carry_out(str(reference))
    assert (job(reference).state, job(reference).result) == ("done", {"n": 1})


def test_what_ended_cannot_be_cancelled_nor_what_waits_be_tried_again(hands, does):
    reference = asked()
    with pytest.raises(ConflictError, match="waiting"), transaction():
        services.again(reference, by=None, at=NOW)
    hands.carry_out(str(reference))
    with pytest.raises(ConflictError, match="done already"), transaction():
        services.cancel(reference, by=None, at=NOW)
    for act in (services.cancel, services.again):
        with pytest.raises(NotFoundError), transaction():
            act(uuid4(), by=None, at=NOW)


def test_asking_and_cancelling_are_in_the_audit_trail(database, does):
    reference = asked()
    with transaction():
        services.cancel(reference, by=None, at=NOW)
        services.again(reference, by=None, at=NOW)

    said = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.action.like("job.%")).order_by(AuditEvent.id)
    ).all()
    assert said == ["job.asked", "job.cancelled", "job.asked_again"]


def test_a_job_of_a_transaction_that_is_rolled_back_is_never_carried(app, database, does, monkeypatch):
    carried: list[UUID] = []
    monkeypatch.setattr("portal.jobs.carrier.carry", carried.extend)

    with suppress(RuleError), transaction():
        services.start(KIND, {}, by=None, at=NOW)
        raise RuleError("No.")
    with transaction():
        with db.session.begin_nested():
            kept = services.start(KIND, {}, by=None, at=NOW)
        assert carried == []

    assert carried == [kept]
    assert db.session.scalar(select(func.count()).select_from(Job)) == 1
