"""Checks a module as a whole: number of lessons, minutes, coverage of outcomes, rules of the assessment."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from portal.domain.catalogue.sources.module_source import Package
from portal.domain.content_checks import metrics
from portal.domain.content_checks.text_checks import line_of
from portal.platform.formats.faults import Fault

LESSON_COUNTS = range(6, 9)  # without cases
MIN_CASES = 2
MIN_MINUTES, MAX_MINUTES = 25, 40  # without cases
TOLERANCE = 2  # minutes between the module's own figure and the estimate
MIN_ITEMS, MIN_ITEMS_PER_OUTCOME = 28, 4
DRAW, AT_LEAST_PER_OUTCOME, MASTERY = 12, 1, Decimal("0.8")


def check_module(package: Package, on: date) -> Iterator[Fault]:
    """Yield the faults of the module as a whole; a review date before ``on`` is one."""
    yield from _check_lesson_count(package)
    yield from _check_minutes(package)
    yield from _check_items(package)
    yield from _check_assessment(package)
    if "job-aid" not in package.sheets:
        yield Fault(
            package.module_file, None, "There is no job aid. Write job-aid.md: one page to use in the field."
        )
    if package.review_on < on:
        reason = "The review date has passed. Review the module and set a new date."
        yield _detail_fault(package, "review_on", reason)


def _detail_fault(package: Package, key: str, reason: str) -> Fault:
    return Fault(package.module_file, line_of(package.files["module.toml"], key), reason)


def _check_lesson_count(package: Package) -> Iterator[Fault]:
    cases = sum(lesson.case is not None for lesson in package.lessons)
    count = len(package.lessons) - cases
    if count not in LESSON_COUNTS:
        reason = f"There are {count} lessons. Write {LESSON_COUNTS[0]} to {LESSON_COUNTS[-1]}."
        yield _detail_fault(package, "lessons", reason)
    if cases < MIN_CASES:
        reason = f"There are {cases} cases to work through. Write {MIN_CASES} or more: lessons/name.toml."
        yield _detail_fault(package, "lessons", reason)


def _check_minutes(package: Package) -> Iterator[Fault]:
    measures = metrics.measure_module(package)
    estimate, without_cases = measures.minutes, measures.minutes - measures.case_minutes
    if not MIN_MINUTES <= without_cases <= MAX_MINUTES:
        reason = (
            f"Lessons, checks and one assessment take {without_cases:.1f} minutes. Aim for {MIN_MINUTES} to"
            f" {MAX_MINUTES}."
        )
        yield _detail_fault(package, "minutes", reason)
    if abs(estimate - package.minutes) > TOLERANCE:
        reason = (
            f"The module says {package.minutes} minutes, but it takes about {estimate:.1f}. Write"
            f" minutes = {round(estimate)}."
        )
        yield _detail_fault(package, "minutes", reason)


def _check_items(package: Package) -> Iterator[Fault]:
    lines = {outcome.key: outcome.line for outcome in package.outcomes}
    for outcome in metrics.outcome_coverage(package):
        if outcome.items < MIN_ITEMS_PER_OUTCOME:
            reason = (
                f"The outcome “{outcome.key}” is tested by {outcome.items} items. Write"
                f" {MIN_ITEMS_PER_OUTCOME} or more."
            )
            yield Fault(package.module_file, lines[outcome.key], reason)
    count = sum(not item.retired for item in package.items)
    if count < MIN_ITEMS:
        yield Fault(package.module_file, None, f"The bank has {count} items. Write {MIN_ITEMS} or more.")


def _check_assessment(package: Package) -> Iterator[Fault]:
    rules = package.assessment
    if rules.draw != DRAW:
        yield Fault(
            package.module_file, rules.line, f"An attempt draws {rules.draw} items. Write draw = {DRAW}."
        )
    if rules.at_least_per_outcome < AT_LEAST_PER_OUTCOME:
        reason = f"An attempt may leave out an outcome. Write at_least_per_outcome = {AT_LEAST_PER_OUTCOME}."
        yield Fault(package.module_file, rules.line, reason)
    if package.mastery_score != MASTERY:
        reason = f"The pass mark is {package.mastery_score}. Write mastery_score = {MASTERY}."
        yield _detail_fault(package, "mastery_score", reason)
