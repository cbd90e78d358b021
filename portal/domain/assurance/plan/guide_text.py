"""The plan as a guide: what was answered, as Markdown that shows it exactly as it was typed. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date

from portal.domain.assurance.plan.template import PlanSection, PlanTemplate
from portal.platform.wording import date as date_words

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
    lines = [
        "+++",
        f"title = {_quote_text(TITLE)}",
        f"summary = {_quote_text(SUMMARY)}",
        f"owner = {_quote_text(answers['owner'])}",
        f"review_on = {review_on.isoformat()}",
        "acknowledge = true",
        "+++",
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


def _quote_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
