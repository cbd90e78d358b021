"""What the ids in a person's rows stand for, in words: modules, directives, units, questions."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import unescape
from typing import Any

from sqlalchemy import select

from portal.domain.assessment.models import Attempt
from portal.domain.assurance.models import AssuranceAction, Evidence, Recommendation
from portal.domain.cases.models import CaseCopy, CaseRun
from portal.domain.catalogue.activity_titles import published_title
from portal.domain.catalogue.models import Activity, GuideVersion, Item, Lesson, ModuleVersion
from portal.domain.directives.models import Directive, DirectiveVersion
from portal.domain.events.models import Event
from portal.domain.item_kinds import case_kinds_by_name, kinds_by_name
from portal.domain.item_kinds.base import Answer
from portal.domain.people.models import UnitState
from portal.domain.records.models import Record, Registration
from portal.domain.saved_reports.models import SavedReport
from portal.domain.scim.models import ScimGroup
from portal.platform.db import db

_AT_ONCE = 5_000  # ids in one statement
_TAG = re.compile(r"<[^>]*>")


def _titled(*columns: Any) -> Any:
    """Select these columns, newest last where a key comes more than once: the last one counts."""
    return select(*columns).order_by(columns[-1])


_SELECTS: dict[str, tuple[Any, Callable[..., str]]] = {
    "activity": (
        select(Activity.id, Activity.kind, Activity.key, published_title(Activity, "module", "event")),
        lambda kind, key, title: title or f"{kind.capitalize()} {key}",
    ),
    "directive": (
        _titled(Directive.id, Directive.reference, DirectiveVersion.title, DirectiveVersion.number).join(
            DirectiveVersion, DirectiveVersion.directive_id == Directive.id
        ),
        lambda reference, title, _number: f"{reference}, {title}",
    ),
    "unit": (_titled(UnitState.unit_id, UnitState.name, UnitState.id), lambda name, _id: name),
    "lesson": (select(Lesson.id, Lesson.title), str),
    "item": (select(Item.id, Item.prompt_html), lambda html: " ".join(unescape(_TAG.sub(" ", html)).split())),
    "module_version": (
        select(ModuleVersion.id, ModuleVersion.title, ModuleVersion.number),
        lambda title, number: f"{title}, version {number}",
    ),
    "guide_version": (
        select(GuideVersion.id, GuideVersion.title, GuideVersion.number),
        lambda title, number: f"{title}, version {number}",
    ),
    "record": (select(Record.id, Record.reference), str),
    "event": (select(Event.id, Event.reference), str),
    "recommendation": (select(Recommendation.id, Recommendation.key), str),
    "assurance_action": (select(AssuranceAction.id, AssuranceAction.reference), str),
    "evidence": (select(Evidence.id, Evidence.reference), str),
    "saved_report": (select(SavedReport.id, SavedReport.name), str),
    "scim_group": (select(ScimGroup.id, ScimGroup.display_name), str),
    "registration": (
        select(Registration.id, ModuleVersion.title).join(
            ModuleVersion, ModuleVersion.id == Registration.module_version_id
        ),
        str,
    ),
    "attempt": (
        select(Attempt.id, Attempt.number, ModuleVersion.title)
        .join(Registration, Registration.id == Attempt.registration_id)
        .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id),
        lambda number, title: f"Attempt {number}, {title}",
    ),
    "case_run": (
        select(CaseRun.id, CaseRun.number, Lesson.title).join(Lesson, Lesson.id == CaseRun.lesson_id),
        lambda number, title: f"{title}, time {number}",
    ),
    "case_copy": (
        select(CaseCopy.id, Lesson.title)
        .join(CaseRun, CaseRun.id == CaseCopy.run_id)
        .join(Lesson, Lesson.id == CaseRun.lesson_id),
        str,
    ),
}


class References:
    """Words for ids, each read once."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, Any], str] = {}

    def prepare(self, table: str, ids: Iterable[Any]) -> None:
        """Read the words of these ids of a table, a statement for some thousands."""
        statement, words_of = _SELECTS.get(table, (None, str))
        missing = [value for value in set(ids) if value is not None and (table, value) not in self._words]
        if statement is None or not missing:
            return
        key = statement.selected_columns[0]
        for start in range(0, len(missing), _AT_ONCE):
            part = statement.where(key.in_(missing[start : start + _AT_ONCE]))
            for row in db.session.execute(part):
                self._words[table, row[0]] = words_of(*row[1:])

    def words(self, table: str, value: Any) -> str:
        """What the id stands for; a number where there are no words for it."""
        return self._words.get((table, value), f"No. {value}")


def item_keys(ids: Iterable[int]) -> dict[int, str]:
    """The short names of questions by their ids."""
    rows = db.session.execute(select(Item.id, Item.key).where(Item.id.in_(set(ids))))
    return {item_id: key for item_id, key in rows}


def answered_contents(items: Iterable[int], runs: Iterable[int]) -> dict[str, dict[Any, tuple[str, Any]]]:
    """The kind and content of each question ("item_id"), and of the case of each run ("run_id")."""
    of_items = db.session.execute(select(Item.id, Item.kind, Item.content).where(Item.id.in_(set(items))))
    of_runs = db.session.execute(
        select(CaseRun.id, Lesson.case_kind, Lesson.case_content)
        .join(Lesson, Lesson.id == CaseRun.lesson_id)
        .where(CaseRun.id.in_(set(runs)))
    )
    return {
        "item_id": {item_id: (kind, content) for item_id, kind, content in of_items},
        "run_id": {run_id: (kind or "", (case or {}).get("content")) for run_id, kind, case in of_runs},
    }


def answer_words(kind_name: str, content: Any, choices: Sequence[str], texts: Mapping[str, str]) -> str:
    """What somebody answered, as "Check your answers" says it; its keys where there is no such kind."""
    kind = {**kinds_by_name(), **case_kinds_by_name()}.get(kind_name)
    if kind is None:
        return "; ".join(map(str, choices))
    lines = kind.summarise_answer(content, kind.shufflable_keys(content), Answer(tuple(choices), texts))
    return "; ".join(" ".join(unescape(_TAG.sub(" ", line)).split()) for line in lines)
