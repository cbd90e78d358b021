"""What the brief asks of a module as a whole: size, honest minutes, coverage and the draw."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from portal.domain.catalogue.sources.module_source import Package
from portal.domain.content_checks import metrics
from portal.domain.content_checks.text_checks import line_of
from portal.platform.formats.faults import Fault

LESSONS = range(6, 9)
LEAST_MINUTES, MOST_MINUTES = 25, 40
TOLERANCE = 2  # minutes between what a module says and what is counted
LEAST_ITEMS, LEAST_OF_OUTCOME = 28, 4
DRAW, OF_OUTCOME, MASTERY = 12, 1, Decimal("0.8")


def breaches(package: Package, on: date) -> Iterator[Fault]:
    """Where the module as a whole falls short."""
    yield from _size(package)
    yield from _minutes(package)
    yield from _coverage(package)
    yield from _draw(package)
    if package.job_aid is None:
        yield Fault(
            package.module_file, None, "There is no job aid. Write job-aid.md: one page to use in the field."
        )
    if package.review_on < on:
        yield _at(package, "review_on", "The day of review has passed. Review the module and set a new day.")


def _at(package: Package, key: str, reason: str) -> Fault:
    return Fault(package.module_file, line_of(package.files["module.toml"], key), reason)


def _size(package: Package) -> Iterator[Fault]:
    count = len(package.lessons)
    if count not in LESSONS:
        yield _at(package, "lessons", f"There are {count} lessons. Write {LESSONS[0]} to {LESSONS[-1]}.")


def _minutes(package: Package) -> Iterator[Fault]:
    honest = metrics.of_module(package).minutes
    if not LEAST_MINUTES <= honest <= MOST_MINUTES:
        yield _at(
            package,
            "minutes",
            f"Lessons, checks and one assessment take {honest:.1f} minutes. Aim at {LEAST_MINUTES} to"
            f" {MOST_MINUTES}.",
        )
    if abs(honest - package.minutes) > TOLERANCE:
        yield _at(
            package,
            "minutes",
            f"The module says {package.minutes} minutes, and {honest:.1f} are counted. Write"
            f" minutes = {round(honest)}.",
        )


def _coverage(package: Package) -> Iterator[Fault]:
    lines = {outcome.key: outcome.line for outcome in package.outcomes}
    for found in metrics.coverage(package):
        if found.items < LEAST_OF_OUTCOME:
            yield Fault(
                package.module_file,
                lines[found.key],
                f"The outcome “{found.key}” is tested by {found.items} items. Write"
                f" {LEAST_OF_OUTCOME} or more.",
            )
    held = sum(not item.retired for item in package.items)
    if held < LEAST_ITEMS:
        yield Fault(package.module_file, None, f"The bank has {held} items. Write {LEAST_ITEMS} or more.")


def _draw(package: Package) -> Iterator[Fault]:
    rules = package.assessment
    if rules.draw != DRAW:
        yield Fault(
            package.module_file, rules.line, f"An attempt draws {rules.draw} items. Write draw = {DRAW}."
        )
    if rules.at_least_per_outcome < OF_OUTCOME:
        reason = f"An outcome may be left out of an attempt. Write at_least_per_outcome = {OF_OUTCOME}."
        yield Fault(package.module_file, rules.line, reason)
    if package.mastery_score != MASTERY:
        reason = f"The score that passes is {package.mastery_score}. Write mastery_score = {MASTERY}."
        yield _at(package, "mastery_score", reason)
