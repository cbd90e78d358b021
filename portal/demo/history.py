"""What the fictional people learned: attempts that failed and passed, modules half read, a late import."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from portal.demo.force import DUE, PlannedPerson
from portal.domain.assessment.models import Attempt, Response, Submission
from portal.domain.authoring import queries, services
from portal.domain.authoring.reviews import send_for_review
from portal.domain.cases import CaseRun, CaseStep
from portal.domain.catalogue.models import Activity, Item, Lesson, ModuleVersion
from portal.domain.catalogue.paths import choose_path
from portal.domain.decisions.requests import ChangeRequest
from portal.domain.decisions.services import submit_request
from portal.domain.directives.models import Directive
from portal.domain.item_kinds import case_kinds_by_name, kinds_by_name
from portal.domain.people.models import PersonName, Post
from portal.domain.people.queries import person_by_staff_number
from portal.domain.people.staff_numbers import PostNames, duties_of_posts
from portal.domain.records.models import (
    ImportedRecord,
    LessonVisit,
    PassRecord,
    Record,
    Registration,
    Revocation,
)
from portal.domain.records.services import new_reference
from portal.platform.clock import london_day, noon
from portal.platform.db import OPEN_END, db, stamp, touch

DayAct = tuple[date, partial[None]]  # what happens on which day
TRAINING_DAY = "Regional training day"  # a fictional source
GUESSES = 12  # so many that one of them is wrong
MODULES = ("recognise", "protect", "respond", "report")
DESIGNATED = ("response", "contact", "investigation", "custody", "neighbourhood", "roads policing")
# How far people of a role get: the share that finishes each module.
DILIGENCE = {
    "response": 0.82,
    "roads policing": 0.88,
    "neighbourhood": 0.92,
    "investigation": 0.9,
    "contact": 0.96,
    "custody": 0.93,
}


@dataclass(frozen=True)
class ModuleMaterial:
    """One published module, as far as a history needs it."""

    version: ModuleVersion
    lessons: dict[str, int]  # ids by key, in order
    items: list[Item]
    cases: dict[int, Lesson]  # by id

    def lessons_for(self, duties: Sequence[str]) -> list[int]:
        """Ids of the lessons on the path of somebody with these duties."""
        version = self.version
        keys = choose_path(list(self.lessons), version.practice, version.duty_paths, duties)
        return [self.lessons[key] for key in keys]


class DemoHistory:
    """Schedules what people do on which day; each act writes its facts when its day comes."""

    def __init__(self, today: date, start: date, random: Random, people: dict[str, int]) -> None:
        self.today, self.start, self.random, self.people = today, start, random, people
        self.material = [_read_material(key) for key in MODULES]
        self.duties: dict[int, tuple[str, ...]] = {}  # by person

    def schedule_people(
        self, planned: list[PlannedPerson], days: dict[date, list[Callable[[], None]]]
    ) -> None:
        """Give every person in a designated role, but D1001, a history."""
        for person in planned:
            if person.staff_number == "D1001" or person.posts[0].role not in DESIGNATED:
                continue
            acts = self._acts_of_person(person)
            for day, act in [*acts, *self._late_facts(person, acts)]:
                if self.start < day <= self.today:
                    days[day].append(act)

    def _acts_of_person(self, person: PlannedPerson) -> list[DayAct]:
        person_id, post = self.people[person.staff_number], person.posts[0]
        begun = max(post.since, self.start)
        self.duties[person_id] = duties_of_posts([PostNames(post.role, post.rank)], {})
        if self.random.random() < 0.02:
            known = begun + timedelta(days=self.random.randint(60, 90))
            return [(known, partial(self._import_records, person_id, known - timedelta(days=35)))]
        acts: list[DayAct] = []
        day = begun + timedelta(days=self.random.randint(5, 200))
        for material in self.material:
            if self.random.random() > DILIGENCE[post.role]:
                if self.random.random() < 0.4:
                    acts.append((day, partial(self._leave_half_read, person_id, material, day)))
                break
            fails = self.random.choices((0, 1, 2), (80, 16, 4))[0]
            acts.append((day, partial(self._pass_module, person_id, material, day, fails)))
            day += timedelta(days=self.random.randint(1, 30))
        return acts

    def _late_facts(self, person: PlannedPerson, acts: list[DayAct]) -> list[DayAct]:
        """What became known only after the due date: so the position of that day differs, then and now.

        Some had completed all modules on a training day, whose list came late; a few passes did not hold.
        """
        if person.staff_number.startswith("D"):  # what the accounts show is the same whenever the list comes
            return []
        luck = Random(f"late {person.staff_number}").random()  # noqa: S311 - changes nobody else's history
        person_id = self.people[person.staff_number]
        passed_on = [day for day, act in acts if act.func == self._pass_module]
        if len(passed_on) < len(MODULES):
            training_day = partial(self._import_records, person_id, DUE - timedelta(days=6), TRAINING_DAY)
            return [(DUE + timedelta(days=12), training_day)] if luck < 0.12 else []
        revoked = luck < 0.02 and passed_on[-1] <= DUE
        return [(DUE + timedelta(days=20), partial(self._revoke_last_pass, person_id))] if revoked else []

    def _moment_of_day(self, day: date) -> datetime:
        return datetime.combine(day, time(7, 5), UTC) + timedelta(minutes=self.random.randint(0, 600))

    def _begin_module(
        self, person_id: int, material: ModuleMaterial, at: datetime, lessons: list[int]
    ) -> Registration:
        registration = Registration(
            recorded_at=stamp(),
            person_id=person_id,
            activity_id=material.version.activity_id,
            module_version_id=material.version.id,
            started_at=at,
            started_on=at.date(),
            duties=list(self.duties[person_id]),
        )
        db.session.add(registration)
        db.session.flush()
        visits = [
            {
                "recorded_at": at + timedelta(minutes=4 * n + 3 * (kind == "completed")),
                "registration_id": registration.id,
                "lesson_id": lesson,
                "kind": kind,
            }
            for n, lesson in enumerate(lessons)
            for kind in ("opened", "completed")
        ]
        db.session.execute(insert(LessonVisit), visits)
        self._run_cases(registration, lessons, material.cases)
        touch(people=[person_id])
        return registration

    def _run_cases(self, registration: Registration, lessons: list[int], cases: dict[int, Lesson]) -> None:
        """Let them work once through each case that they completed; two of three go a good way."""
        luck = Random(f"cases {registration.person_id}")  # noqa: S311 - changes nobody else's history
        done = [cases[lesson] for lesson in lessons if lesson in cases]
        at, own_id = registration.started_at, registration.id
        runs = [CaseRun(recorded_at=at, registration_id=own_id, lesson_id=case.id, number=1) for case in done]
        db.session.add_all(runs)
        db.session.flush()
        for run, case in zip(runs, done, strict=True):
            kind, content = case_kinds_by_name()[case.case_kind or ""], (case.case_content or {})["content"]
            way = kind.best_choices(content) if luck.random() < 0.66 else kind.random_choices(content, luck)
            db.session.add(CaseStep(recorded_at=at, run_id=run.id, choices=way, ends=True))

    def _leave_half_read(self, person_id: int, material: ModuleMaterial, day: date) -> None:
        lessons = material.lessons_for(self.duties[person_id])
        some = lessons[: self.random.randint(1, len(lessons) - 1)]
        self._begin_module(person_id, material, self._moment_of_day(day), some)

    def _pass_module(self, person_id: int, material: ModuleMaterial, day: date, fails: int) -> None:
        at, lessons = self._moment_of_day(day), material.lessons_for(self.duties[person_id])
        registration = self._begin_module(person_id, material, at, lessons)
        at += timedelta(minutes=4 * len(lessons))
        for number in range(1, fails + 1):
            self._make_attempt(registration, material, number, self.random.randint(5, 8), at)
            at += timedelta(minutes=15)
        right = self.random.choice((10, 11, 11, 12))
        submission = self._make_attempt(registration, material, fails + 1, right, at)
        self._record_pass(registration, submission)

    def _make_attempt(
        self, registration: Registration, material: ModuleMaterial, number: int, right: int, at: datetime
    ) -> Submission:
        """An attempt with ``right`` items answered rightly, submitted nine minutes after it began."""
        items = self.random.sample(material.items, material.version.draw)
        attempt = Attempt(
            id=UUID(int=self.random.getrandbits(128), version=4),
            registration_id=registration.id,
            number=number,
            mastery_score=material.version.mastery_score,
            drawn=[{"item_id": item.id, "order": self._shuffle_keys(item)} for item in items],
            started_at=at,
            recorded_at=at,
        )
        db.session.add(attempt)
        db.session.flush()
        answers = [self._choose_answer(item, right=place < right) for place, item in enumerate(items)]
        marks = [
            kinds_by_name()[item.kind].mark_answer(item.content, choices)
            for item, choices in zip(items, answers, strict=True)
        ]
        responses = [
            _response_values(attempt, item, place, choices)
            for place, (item, choices) in enumerate(zip(items, answers, strict=True))
        ]
        db.session.execute(insert(Response), responses)
        submission = Submission(
            attempt_id=attempt.id,
            score_raw=sum(marks, Decimal(0)),
            score_max=len(items),
            mastery_score=attempt.mastery_score,
            marks={str(item.id): str(mark) for item, mark in zip(items, marks, strict=True)},
            submitted_at=at + timedelta(minutes=9),
            recorded_at=stamp(),
        )
        db.session.add(submission)
        db.session.flush()
        return submission

    def _shuffle_keys(self, item: Item) -> list[str]:
        keys = kinds_by_name()[item.kind].shufflable_keys(item.content)
        self.random.shuffle(keys)
        return keys

    def _choose_answer(self, item: Item, *, right: bool) -> list[str]:
        """What earns the whole mark, else the worst of some guesses."""
        kind = kinds_by_name()[item.kind]
        if right:
            return kind.best_choices(item.content)
        guesses = [kind.random_choices(item.content, self.random) for _ in range(GUESSES)]
        return min(guesses, key=lambda guess: kind.mark_answer(item.content, guess))

    def _record_pass(self, registration: Registration, submission: Submission) -> None:
        record = self._write_record(
            registration.person_id, registration.activity_id, submission.submitted_at, "assessed"
        )
        db.session.add(
            PassRecord(
                record_id=record.id,
                registration_id=registration.id,
                module_version_id=registration.module_version_id,
                attempt_id=submission.attempt_id,
                score_raw=submission.score_raw,
                score_max=submission.score_max,
                mastery_score=submission.mastery_score,
            )
        )

    def _write_record(self, person_id: int, activity_id: int, at: datetime, source: str) -> Record:
        record = Record(
            recorded_at=stamp(),
            person_id=person_id,
            activity_id=activity_id,
            achieved_at=at,
            achieved_on=at.date(),
            source=source,
            reference=new_reference(),
        )
        db.session.add(record)
        db.session.flush()
        touch(people=[person_id])
        return record

    def _revoke_last_pass(self, person_id: int) -> None:
        """The evidence of the latest pass was not reliable: it never was one."""
        passes = select(Record).where(Record.person_id == person_id, Record.source == "assessed")
        record = db.session.scalars(passes.order_by(Record.achieved_at.desc()).limit(1)).one()
        revocation = Revocation(
            recorded_at=stamp(),
            record_id=record.id,
            from_on=record.achieved_on,
            reason="Another person answered the questions",
            decided_by_id=self.people["D4001"],
        )
        db.session.add(revocation)
        touch(people=[person_id])

    def _import_records(self, person_id: int, achieved: date, source: str = "Former learning system") -> None:
        """All four, done elsewhere and brought over weeks later."""
        for material in self.material:
            record = self._write_record(person_id, material.version.activity_id, noon(achieved), "imported")
            db.session.add(ImportedRecord(record_id=record.id, source_system=source, score_scaled=None))


def _read_material(key: str) -> ModuleMaterial:
    version = db.session.scalars(
        select(ModuleVersion)
        .join(Activity)
        .where(Activity.kind == "module", Activity.key == key)
        .order_by(ModuleVersion.number.desc())
        .limit(1)
    ).one()
    lessons = db.session.scalars(
        select(Lesson).where(Lesson.module_version_id == version.id).order_by(Lesson.position)
    ).all()
    cases = {lesson.id: lesson for lesson in lessons if lesson.case_kind}
    items = list(
        db.session.scalars(select(Item).where(Item.module_version_id == version.id, Item.retired.is_(False)))
    )
    return ModuleMaterial(version, {lesson.key: lesson.id for lesson in lessons}, items, cases)


def _response_values(attempt: Attempt, item: Item, place: int, choices: list[str]) -> dict[str, Any]:
    saved = attempt.started_at + timedelta(seconds=40 * (place + 1))
    return {
        "attempt_id": attempt.id,
        "item_id": item.id,
        "choices": choices,
        "saved_at": saved,
        "recorded_at": saved,
    }


# Work that waits on desks: a lesson being edited, a guide to review, and a request.


@dataclass(frozen=True)
class DemoEdit:
    """A sentence that an author added to a text."""

    key: str  # of the module or guide, as in Draft.module_key
    path: str
    before: str
    after: str
    summary: str


LESSON = DemoEdit(
    key="recognise",
    path="lessons/who-to-turn-to.md",
    before="Ask your supervisor. Do not let the matter drop.",
    after="Ask your supervisor. Write down whom you asked and when. Do not let the matter drop.",
    summary="“Who to ring, and the lorry again” edited",
)
GUIDE = DemoEdit(
    key="_guides/supervisors-toolkit",
    path="supervisors-toolkit.md",
    before="- “Two lines tonight are worth more than two pages on Monday.”\n",
    after="- “Two lines tonight are worth more than two pages on Monday.”\n"
    "- “Who could take your next call while you write it?”\n",
    summary="Text edited",
)
NOTE = "One more question to ask an officer who had no time. Two sergeants asked for it."
COMMENT = "On secondment to the regional unit; can complete it on return."


def create_drafts(author: str, *, at: datetime) -> None:
    """Open both drafts, save the one change in each, and send the guide for review.

    Args:
        author: Staff number of who writes.
        at: The instant.
    """
    person_id = person_by_staff_number(author)
    _save_edit(LESSON, by=person_id, at=at)
    send_for_review(_save_edit(GUIDE, by=person_id, at=at), note=NOTE, by=person_id, at=at)


def ask_for_deferral(manager: str, *, at: datetime) -> None:
    """Ask, as a manager, for more time for one of their people who has no record and no sign-in of the demo.

    Args:
        manager: Staff number.
        at: The instant.
    """
    manager_id, today = person_by_staff_number(manager), london_day(at)
    person_id = db.session.scalar(
        select(Post.person_id)
        .join(PersonName, PersonName.person_id == Post.person_id)
        .where(Post.line_manager_id == manager_id, Post.valid_to == OPEN_END)
        .where(Post.person_id.not_in(select(Record.person_id)), PersonName.staff_number.not_like("D%"))
        .order_by(PersonName.staff_number)
        .limit(1)
    )
    if person_id is None:
        return
    change = ChangeRequest(
        "deferral",
        person_id,
        "secondment",
        directive_id=db.session.scalars(select(Directive.id).where(Directive.reference == "OIC-2026")).one(),
        from_on=today,
        to_on=today + timedelta(days=60),
        due_on=today + timedelta(days=90),
    )
    submit_request(change, {"comment": COMMENT}, by=manager_id, at=at)


def _save_edit(edit: DemoEdit, *, by: int, at: datetime) -> int:
    draft_id = services.open_draft(edit.key, by=by, at=at)
    files = queries.get_draft(edit.key).files
    text = queries.read_content(files[edit.path]).decode()
    changes = {edit.path: text.replace(edit.before, edit.after).encode()}
    services.save_files(draft_id, changes, expected=files, summary=edit.summary, by=by, at=at)
    return draft_id
