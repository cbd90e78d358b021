"""What learners decided in the cases of a version, in whole groups of ten people and without names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.domain.cases.queries import shares_of_colleagues
from portal.domain.catalogue.models import Lesson, ModuleVersion
from portal.domain.item_kinds import case_kinds_by_name


@dataclass(frozen=True, slots=True)
class CaseStepRow:
    """One choice of a case, and how many of ten people took it."""

    point: int  # the scene or part to which it belongs, counted from 1
    html: str  # safe
    good: bool
    share: str  # in words; empty: fewer than ten people came to it, or nobody took it


@dataclass(frozen=True, slots=True)
class CaseSteps:
    """The choices of one case."""

    title: str
    steps: Sequence[CaseStepRow]


def case_step_rows(version: ModuleVersion) -> list[CaseSteps]:
    """Every case of the version with the shares of its choices; two statements, however many there are."""
    cases = [lesson for lesson in version.lessons if lesson.case_kind is not None]
    shares = shares_of_colleagues([lesson.id for lesson in cases]) if cases else {}
    return [
        CaseSteps(
            lesson.title,
            _step_rows(lesson, shares[lesson.id]),
        )
        for lesson in cases
    ]


def _step_rows(lesson: Lesson, shares: Mapping[str, str]) -> list[CaseStepRow]:
    kind, content = case_kinds_by_name()[lesson.case_kind or ""], (lesson.case_content or {})["content"]
    choices = kind.countable_choices(content)
    points = list(dict.fromkeys(step.partition("/")[0] for step, _, _ in choices))
    return [
        CaseStepRow(1 + points.index(step.partition("/")[0]), html, good, shares.get(step, ""))
        for step, html, good in choices
    ]
