"""The force's plan: what it answers, its versions, writing the next and publishing it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select

from portal.domain.catalogue.models import GuideVersion
from portal.domain.catalogue.publishing import current_guide, guide_recorded_by
from portal.domain.catalogue.services import check_guide_files, publish_guide_files, set_force_values
from portal.domain.catalogue.source_files import decode_text
from portal.domain.catalogue.version_cache import force_values_recorded_by, shared_content
from portal.domain.people.models import PersonName
from portal.domain.people.queries import ProposalLine, select_proposals
from portal.domain.reports.parameters import Position
from portal.features.assurance.desk import list_held_facts
from portal.features.assurance.models import PlanVersion, Recommendation
from portal.features.force_plan.models import PlanProposal
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError, require
from portal.platform.formats.toml_tables import Faults, Source, Table, read_key
from portal.platform.formats.toml_writer import format_toml
from portal.platform.proposals import (
    LONGEST_NOTE,
    count_waiting,
    end_proposal,
    lock_proposal,
    refuse_publishing,
    refuse_sending_back,
    refuse_withdrawing,
)
from portal.platform.wording import date as date_words

# What a plan answers: sections and questions, read from ``plan_template.toml`` beside this file. Pure.

_FILE = Path(__file__).parent / "plan_template.toml"
KINDS = ("line", "lines")
LONGEST_ANSWER = 2_000  # characters
LONGEST_MILESTONE = 150


@dataclass(frozen=True, slots=True)
class PlanQuestion:
    """One question of the plan."""

    key: str
    label: str
    hint: str
    kind: str  # one of ``KINDS``
    most: int  # characters
    required: bool
    setting: str  # the detail of the force that the answer fills; "" for none


@dataclass(frozen=True, slots=True)
class PlanSection:
    """Questions that one form asks."""

    key: str
    title: str
    about: str
    questions: tuple[PlanQuestion, ...]

    def list_missing(self, answers: Mapping[str, str]) -> list[PlanQuestion]:
        """Its questions that must be answered and are not."""
        return [each for each in self.questions if each.required and not answers.get(each.key)]


@dataclass(frozen=True, slots=True)
class PlanTemplate:
    """What a plan answers, and what a force usually does about it first."""

    sections: tuple[PlanSection, ...]
    milestones: tuple[str, ...]  # titles of actions that a force may add

    @property
    def questions(self) -> tuple[PlanQuestion, ...]:
        """All questions, in order."""
        return tuple(question for section in self.sections for question in section.questions)

    @property
    def settings(self) -> dict[str, PlanQuestion]:
        """The question that fills each detail of the force."""
        return {each.setting: each for each in self.questions if each.setting}

    def find_section(self, key: str) -> PlanSection | None:
        """The section with this key."""
        return next((section for section in self.sections if section.key == key), None)


@cache
def plan_template() -> PlanTemplate:
    """The template that this release brings.

    Raises:
        BadInputError: Its file has faults.
    """
    return parse_template(_FILE.read_bytes())


def parse_template(content: bytes) -> PlanTemplate:
    """Read and check a template.

    Raises:
        BadInputError: It has faults; each is named with its line.
    """
    faults = Faults()
    text = decode_text(content, _FILE.name, faults)
    root = None if text is None else Source(text, _FILE.name, faults).root()
    template = PlanTemplate((), ()) if root is None else _read_root(root)
    faults.refuse()
    return template


def _read_root(root: Table) -> PlanTemplate:
    sections = tuple(_read_section(table) for table in root.tables("section"))
    milestones = tuple(_read_milestones(root))
    template = PlanTemplate(sections, milestones)
    for what, keys in (
        ("section", [each.key for each in sections]),
        ("question", [each.key for each in template.questions]),
        ("setting", [each.setting for each in template.questions if each.setting]),
    ):
        if len(set(keys)) < len(keys):
            root.fault("section", f"Two of the same {what}. Give each a key of its own.")
    root.close()
    return template


def _read_section(table: Table) -> PlanSection:
    section = PlanSection(
        key=read_key(table),
        title=table.text("title"),
        about=table.text("about"),
        questions=tuple(_read_question(each) for each in table.tables("question", "[[section.question]]")),
    )
    table.close()
    return section


def _read_question(table: Table) -> PlanQuestion:
    question = PlanQuestion(
        key=read_key(table),
        label=table.text("label"),
        hint=table.text("hint"),
        kind=table.text("kind"),
        most=table.number("most", least=1),
        required=table.flag("required", default=True),
        setting=table.text("setting", required=False),
    )
    if question.kind not in KINDS:
        table.fault("kind", f"“{question.kind}” is not a kind of question. Use {' or '.join(KINDS)}.")
    if question.most > LONGEST_ANSWER:
        table.fault("most", f"Use {LONGEST_ANSWER} or fewer.")
    if question.setting and question.kind != "line":
        table.fault("setting", "A detail of the force is one line.")
    table.close()
    return question


def _read_milestones(root: Table) -> Iterator[str]:
    for table in root.tables("milestone"):
        title = table.text("title")
        if len(title) > LONGEST_MILESTONE:
            table.fault("title", f"Use {LONGEST_MILESTONE} characters or fewer.")
        table.close()
        yield title


# The plan as a guide: what was answered, as Markdown that shows it exactly as it was typed. Pure.

TITLE = "Our plan to collect, analyse and share"
SUMMARY = "What we ask at first contact, on arrival and in custody, who analyses it, and where it goes."
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")  # of Markdown, and every other mark of ASCII
_DOUBLED = re.compile(r"([{}])(?=\1)")
_BULLET = re.compile(r"[-*•]\s+(?=\S)")
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]")  # nobody can see or miss these


def write_plan_guide(
    template: PlanTemplate, answers: Mapping[str, str], *, number: int | None, from_on: date, review_on: date
) -> bytes:
    """The guide's Markdown file.

    Args:
        template: What the plan answers.
        answers: By the keys of questions.
        number: Of the plan's version; None for one that was never published.
        from_on: The day on which it is published.
        review_on: The day by which it is to be reviewed.
    """
    front = {
        "title": TITLE,
        "summary": SUMMARY,
        "owner": answers["owner"],
        "review_on": review_on,
        "acknowledge": True,
    }
    lines = [
        f"+++\n{format_toml(front)}+++",
        "",
        "::: inset",
        f"**In one line.** {_escape_line(answers['in_one_line'])}",
        ":::",
    ]
    if number is not None:
        lines += ["", f"Version {number} of the plan, from {date_words(from_on)}."]
    for section in template.sections:
        lines += _write_section(section, answers)
    return ("\n".join(lines) + "\n").encode()


def shown_values(template: PlanTemplate, answers: Mapping[str, str], from_on: date) -> dict[str, str]:
    """What the plan makes the force's settings say, by their keys; what was not answered is left out."""
    values = {key: answers.get(question.key, "") for key, question in template.settings.items()}
    plan = values.get("sharing_plan", "")
    if plan:
        values["sharing_plan"] = f"{plan} (the whole plan, of {date_words(from_on)}, is under Guides)"
    return {key: value for key, value in values.items() if value}


def clean_answer(text: str, kind: str) -> str:
    """An answer without what nobody can see: one line, or lines with single spaces."""
    lines = [" ".join(line.split()) for line in _UNSEEN.sub("", text).splitlines()]
    if kind == "line":
        return " ".join(filter(None, lines))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _write_section(section: PlanSection, answers: Mapping[str, str]) -> Iterator[str]:
    """A section's heading and answers; a question that fills a setting has its answer in sentences."""
    answered = [each for each in section.questions if answers.get(each.key) and each.key != "in_one_line"]
    if answered:
        yield from ("", f"## {_escape_line(section.title)}")
    for question in answered:
        yield from ("", f"### {_escape_line(question.label)}", "")
        yield from _write_lines(answers[question.key])


def _write_lines(answer: str) -> Iterator[str]:
    """Each line a paragraph; lines that begin with a dash, a star or a dot are a list."""
    was_bullet = False
    for line in filter(None, answer.split("\n")):
        bullet = _BULLET.match(line)
        if not (was_bullet and bullet):
            yield ""
        yield f"- {_escape_line(line[bullet.end() :])}" if bullet else _escape_line(line)
        was_bullet = bullet is not None


def _escape_line(line: str) -> str:
    """A line that Markdown shows as it is; no text can name a setting's slot."""
    return _MARKS.sub(r"\\\1", _DOUBLED.sub(r"\1 ", line))


# Reading the plan: the version that holds at a position, whether it is still true, and what is proposed.

KEY = "plan"  # of the recommendation that the plan answers
GUIDE_KEY = "force-plan"


@dataclass(frozen=True, slots=True)
class PlanDetail:
    """A detail of the force that the plan fills: what the plan says, and what pages show."""

    label: str
    planned: str
    shown: str  # "" where pages show nothing

    @property
    def differs(self) -> bool:
        """Whether pages show something else than the plan says."""
        return self.planned != self.shown


@dataclass(frozen=True, slots=True)
class PlanSnapshot:
    """The plan at a position, as it was published, with what makes it untrue."""

    version: PlanVersion
    guide: GuideVersion  # as the plan was published
    proposed_by: str
    published_by: str
    details: tuple[PlanDetail, ...]
    faults: tuple[str, ...]  # a sentence each; empty: it holds


@dataclass(frozen=True, slots=True)
class ProposedPlan(ProposalLine):
    """The next version of the plan: being written, waiting for a second person, or ended."""

    answers: dict[str, str]
    review_on: date

    @property
    def is_written(self) -> bool:
        """Whether its author is still writing it."""
        return self.ended_as is None and not self.note

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a second person."""
        return self.ended_as is None and bool(self.note)


def read_plan_id() -> int:
    """The id of the recommendation that the plan answers."""
    found = db.session.scalar(select(Recommendation.id).where(Recommendation.key == KEY))
    if found is None:
        raise NotFoundError("The recommendation “plan” is not published yet.")
    return found


def read_plan(position: Position) -> PlanSnapshot | None:
    """The plan that holds at a position; None where none was published. A fixed number of statements."""
    versions = list_plan_versions(position)
    if not versions:
        return None
    version = versions[0]
    until = min(position.as_known_on, clock.end_of_day(position.as_at))
    guide = db.session.get_one(GuideVersion, version.guide_version_id)
    newest = guide_recorded_by(GUIDE_KEY, until)
    details = _list_details(version, until)
    names = _names_of({version.proposed_by_id, version.published_by_id})
    return PlanSnapshot(
        version=version,
        guide=guide,
        proposed_by=names.get(version.proposed_by_id, "Erased"),
        published_by=names.get(version.published_by_id, "Erased"),
        details=details,
        faults=tuple(_list_faults(version, position.as_at, newest, details)),
    )


def list_plan_faults(position: Position) -> tuple[str, ...]:
    """Why the plan no longer holds at a position, for its owner's list; empty where there is none."""
    plan = read_plan(position)
    return plan.faults if plan else ()


def list_plan_versions(position: Position) -> list[PlanVersion]:
    """The versions published by a position, the newest first. One statement."""
    plan_id = select(Recommendation.id).where(Recommendation.key == KEY).scalar_subquery()
    versions = list_held_facts(PlanVersion, position, PlanVersion.recommendation_id == plan_id)
    return sorted(versions, key=lambda version: version.number, reverse=True)


def list_planned_settings() -> frozenset[str]:
    """Keys of the force's details that the published plan fills. One statement."""
    plan_id = select(Recommendation.id).where(Recommendation.key == KEY).scalar_subquery()
    newest = select(PlanVersion).where(PlanVersion.recommendation_id == plan_id)
    version = db.session.scalar(newest.order_by(PlanVersion.number.desc()).limit(1))
    if version is None:
        return frozenset()
    return frozenset(shown_values(plan_template(), version.content, version.from_on))


def newest_plan(plan_id: int) -> PlanVersion | None:
    """The version that was published last."""
    statement = select(PlanVersion).where(PlanVersion.recommendation_id == plan_id)
    return db.session.scalar(statement.order_by(PlanVersion.number.desc()).limit(1))


def _list_details(version: PlanVersion, until: datetime) -> tuple[PlanDetail, ...]:
    shown, settings = force_values_recorded_by(until), shared_content()
    planned = shown_values(plan_template(), version.content, version.from_on)
    return tuple(
        PlanDetail(settings.label_of(key), text, shown.get(key, "")) for key, text in planned.items()
    )


def _list_faults(
    version: PlanVersion, day: date, newest: GuideVersion | None, details: tuple[PlanDetail, ...]
) -> Iterator[str]:
    if version.review_on < day:
        yield f"Its review was due on {date_words(version.review_on)}."
    if newest is not None and newest.id != version.guide_version_id:
        yield f"Its guide was changed by itself since: version {newest.number} says what is not in the plan."
    for detail in details:
        if detail.differs:
            yield f"Lessons and guides show something else under “{detail.label}”."


def open_plan_proposal() -> ProposedPlan | None:
    """The next version, being written or waiting; None where nobody has begun one. One statement."""
    return next(_fetch_plans(_select_plans().where(PlanProposal.ended_at.is_(None))), None)


def list_ended_plans(limit: int = 20) -> list[ProposedPlan]:
    """What became of the last proposals, the newest first. One statement."""
    ended = _select_plans().where(PlanProposal.ended_at.is_not(None))
    return list(_fetch_plans(ended.order_by(PlanProposal.id.desc()).limit(limit)))


def get_plan_proposal(proposal_id: int) -> ProposedPlan:
    """One proposal, whatever became of it."""
    found = next(_fetch_plans(_select_plans().where(PlanProposal.id == proposal_id)), None)
    if found is None:
        raise NotFoundError("There is no such proposal.")
    return found


def count_plans_for(person_id: int) -> int:
    """How many plans wait that this person may publish: those of others. One statement."""
    return count_waiting(PlanProposal, person_id, PlanProposal.note != "")


def _select_plans() -> Select[Any]:
    return select_proposals(PlanProposal, PlanProposal.content, PlanProposal.review_on)


def _fetch_plans(statement: Select[Any]) -> Iterator[ProposedPlan]:
    return (ProposedPlan(*row) for row in db.session.execute(statement))


def _names_of(people: set[int]) -> dict[int, str]:
    names = select(PersonName.person_id, PersonName.full_name).where(PersonName.person_id.in_(people))
    return {person_id: name for person_id, name in db.session.execute(names)}


# Writing the next version of the plan, section by section, and sending it to a second person.
#
# A proposal without a note is being written; its note is asked for when it is sent. Only its author
# writes in it. What was written is kept when it ends, so that the next one begins with it.

USUAL_REVIEW = timedelta(days=365)
LATEST_REVIEW = timedelta(days=3 * 366)


def begin_plan(*, by: int, at: datetime) -> int:
    """Begin the next version with what there is: what ended since, else the plan, else what pages show."""
    stamp()
    plan_id = read_plan_id()
    if open_plan_proposal() is not None:
        raise ConflictError("Somebody is already writing the next version of the plan.")
    row = PlanProposal(
        recommendation_id=plan_id,
        content=_first_answers(plan_id),
        review_on=london_day(at) + USUAL_REVIEW,
        note="",
        proposed_by_id=by,
        proposed_at=at,
        reason="",
    )
    db.session.add(row)
    db.session.flush()
    log("plan.begun", actor_id=by, number=next_number(newest_plan(plan_id)))
    return row.id


def save_section(
    proposal_id: int, section_key: str, answers: Mapping[str, str], *, by: int, at: datetime
) -> None:
    """Keep the answers of one section; those of the others stay. An empty answer is taken out.

    Raises:
        ConflictError: It has ended.
        RuleError: Somebody else writes it, or it waits for a second person.
    """
    row = _lock_own(proposal_id, by)
    section = require(plan_template().find_section(section_key), "The plan has no such section.")
    new_answers = {
        question.key: clean_answer(answers.get(question.key, ""), question.kind)
        for question in section.questions
    }
    faults = [
        fault
        for question in section.questions
        if (fault := fault_of_answer(question, new_answers[question.key]))
    ]
    if faults:
        raise BadInputError(faults)
    other_answers = {key: text for key, text in row.content.items() if key not in new_answers}
    row.content = other_answers | {key: text for key, text in new_answers.items() if text}
    db.session.flush()
    log("plan.section_saved", actor_id=by, section=section.title)


def send_plan(proposal_id: int, *, note: str, review_on: date, by: int, at: datetime) -> None:
    """Send what was written to a second person; from now on nobody writes in it.

    Raises:
        ConflictError: It has ended.
    """
    row = _lock_own(proposal_id, by)
    faults = [f"Answer “{question.label}”." for question in list_missing(row.content)]
    if not note.strip():
        faults.append("Say what is new, for the person who publishes it.")
    if fault := fault_of_review(review_on, london_day(at)):
        faults.append(fault)
    if faults:
        raise BadInputError(faults)
    current = newest_plan(row.recommendation_id)
    if current is not None and (current.content, current.review_on) == (row.content, review_on):
        raise RuleError(f"Version {current.number} says exactly the same. Nothing was sent.")
    row.note, row.review_on, row.proposed_at = note.strip()[:LONGEST_NOTE], review_on, at
    db.session.flush()
    log("plan.proposed", actor_id=by, number=next_number(current))


def withdraw_plan(proposal_id: int, *, by: int, at: datetime) -> None:
    """End it for its author; the next one begins with what was written.

    Raises:
        ConflictError: It has ended.
        RuleError: Somebody else writes it.
    """
    row = lock_proposal(PlanProposal, proposal_id)
    refuse_withdrawing(row, by)
    end_proposal(row, "withdrawn", by=by, at=at)
    log("plan.withdrawn", actor_id=by)


def list_missing(answers: Mapping[str, str]) -> list[PlanQuestion]:
    """The questions that must be answered and are not, in order."""
    return [each for section in plan_template().sections for each in section.list_missing(answers)]


def fault_of_answer(question: PlanQuestion, answer: str) -> str:
    """Why an answer is refused; "" where it is not."""
    if len(answer) > question.most:
        return f"“{question.label}” has {len(answer):,} characters. Shorten it to {question.most:,} or fewer."
    return ""


def fault_of_review(review_on: date, today: date) -> str:
    """Why a review date is refused; "" where it is not."""
    if not today < review_on <= today + LATEST_REVIEW:
        return "Enter a review date after today and within three years."
    return ""


def next_number(current: PlanVersion | None) -> int:
    """The number of the version after this one."""
    return current.number + 1 if current else 1


def _lock_own(proposal_id: int, by: int) -> PlanProposal:
    row = lock_proposal(PlanProposal, proposal_id)
    if row.proposed_by_id != by:
        raise RuleError("Somebody else writes this version.")
    if row.note:
        raise RuleError("It waits for a second person. Withdraw it to change it.")
    return row


def _first_answers(plan_id: int) -> dict[str, str]:
    current = newest_plan(plan_id)
    ended = select(PlanProposal).where(PlanProposal.recommendation_id == plan_id)
    last = db.session.scalar(ended.order_by(PlanProposal.id.desc()).limit(1))
    known = {question.key for question in plan_template().questions}
    if last is not None and last.ended_as != "published":
        answers = last.content
    elif current is not None:
        answers = current.content
    else:
        shown = shared_content().values
        answers = {each.key: shown[key] for key, each in plan_template().settings.items() if key in shown}
    return {key: text for key, text in answers.items() if key in known}


# Publishing the plan by a second person: as a version, as a guide, and in the force's settings, at once.


def publish_plan(proposal_id: int, *, by: int, at: datetime) -> int:
    """Publish exactly what was sent, and return the version's number.

    The guide and the details of the force change in the same transaction, from this stamp on.

    Raises:
        BadInputError: The guide cannot be published as it is.
        ConflictError: It has ended, or another version was published meanwhile.
    """
    row = lock_proposal(PlanProposal, proposal_id)
    current = newest_plan(row.recommendation_id)
    refuse_publishing(row, by, current)
    if not row.note:
        raise RuleError("Its author is still writing it.")
    number, day = next_number(current), london_day(at)
    guide_id = _publish_plan_guide(row.content, number, day, row.review_on, by=by, at=at)
    set_force_values(
        shared_content().values | shown_values(plan_template(), row.content, day),
        by=by,
    )
    version = PlanVersion(
        recorded_at=stamp(),
        recommendation_id=row.recommendation_id,
        number=number,
        from_on=day,
        content=dict(row.content),
        review_on=row.review_on,
        guide_version_id=guide_id,
        published_at=at,
        proposed_by_id=row.proposed_by_id,
        published_by_id=by,
    )
    db.session.add(version)
    end_proposal(row, "published", by=by, at=at)
    log("plan.published", actor_id=by, subject_id=row.proposed_by_id, number=number)
    return number


def send_plan_back(proposal_id: int, *, reason: str, by: int, at: datetime) -> None:
    """End it without publishing, with a reason; the next one begins with what was written.

    Also ends what somebody else began and does not finish.

    Raises:
        ConflictError: It has ended.
        RuleError: They wrote it themselves.
    """
    row = lock_proposal(PlanProposal, proposal_id)
    refuse_sending_back(row, by)
    if not reason.strip():
        raise BadInputError(["Say why, so that its author can change it."])
    row.reason = reason.strip()[:LONGEST_NOTE]
    end_proposal(row, "sent_back", by=by, at=at)
    log("plan.sent_back", actor_id=by, subject_id=row.proposed_by_id)


@dataclass(frozen=True, slots=True)
class PlanComparison:
    """What a proposed version says, beside what is published."""

    current: int  # the number of the published version; 0 where there is none
    html: str  # the guide as it would be published; parts without an answer are left out
    differences: tuple[tuple[str, str, str], ...]  # label, what is published, what is proposed
    details: tuple[tuple[str, str, str], ...]  # what pages show: label, now, from its publishing on


def compare_plan(proposal: ProposedPlan, day: date) -> PlanComparison:
    """Compare a proposal with what is published, as if it were published on this day.

    Raises:
        BadInputError: The guide could not be published as it is.
    """
    current, shared, template = newest_plan(read_plan_id()), shared_content(), plan_template()
    before = current.content if current else {}
    number = next_number(current) if proposal.ended_as is None else None
    planned = shown_values(template, proposal.answers, day)
    return PlanComparison(
        current=current.number if current else 0,
        html=_render_guide(proposal, number, day),
        differences=tuple(
            (question.label, before.get(question.key, ""), proposal.answers.get(question.key, ""))
            for question in template.questions
            if before.get(question.key, "") != proposal.answers.get(question.key, "")
        ),
        details=tuple(
            (shared.label_of(key), shared.values.get(key, ""), text) for key, text in planned.items()
        ),
    )


def _render_guide(proposal: ProposedPlan, number: int | None, day: date) -> str:
    filled = {"owner": "Not named yet", "in_one_line": "Not written yet", **proposal.answers}
    content = write_plan_guide(
        plan_template(), filled, number=number, from_on=day, review_on=proposal.review_on
    )
    reading = check_guide_files({f"{GUIDE_KEY}.md": content})
    reading.faults.refuse()
    return reading.guides[0].html


def _publish_plan_guide(
    answers: Mapping[str, str], number: int, day: date, review_on: date, *, by: int, at: datetime
) -> int:
    content = write_plan_guide(plan_template(), answers, number=number, from_on=day, review_on=review_on)
    guide = publish_guide_files(GUIDE_KEY, {f"{GUIDE_KEY}.md": content}, at=at, by=by)
    if guide is None:  # an author has published exactly these bytes
        guide = current_guide(GUIDE_KEY)
    if guide is None:
        raise ConflictError("The guide of the plan could not be published. Try again.")
    return guide.id
