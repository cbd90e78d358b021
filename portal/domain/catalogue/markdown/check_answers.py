"""Answers to the checks of a lesson: its stored HTML, with the choices that were sent and their feedback.

A lesson is stored as it was published, with feedback folded below each choice. Here the controls become part
of one form, whose answers come back with the address and are kept nowhere. Feedback that was not asked for
stays in the page for print alone. A check in a form that is not known here is shown as it is stored.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from markupsafe import Markup

from portal.platform.wording import plural

FORM_ID = "self-checks"
_BLOCK = re.compile(
    r'<div class="portal-check">(.*?aria-describedby="check-([^"]*)-hint".*?)</fieldset>'
    r"(.*?</details></div>)",
    re.DOTALL,
)
_CHOICE = re.compile(
    r'<input class="(govuk-(?:radios|checkboxes)__input)" id="([^"]*)" name="([^"]*)"([^>]*)>'
    r'(<label.*?</label></div>)<details class="govuk-details portal-check__feedback">(.*?</summary>)'
    r'(<div class="portal-feedback portal-feedback--(right|wrong)">.*?</div>)</details>',
    re.DOTALL,
)
_PAIR = re.compile(
    r'<select class="([^"]*)" id="([^"]*)"><option value="">Choose</option>(.*?)</select></div>'
    r'<details class="govuk-details">(.*?</summary><div class="govuk-details__text">'
    r'<p class="govuk-body">(.*?)</p></div>)</details>',
    re.DOTALL,
)
_OPTION = re.compile(r"<option>(.*?)</option>", re.DOTALL)
_HINT = re.compile(r'(<div id="[^"]*-hint" class="govuk-hint">)[^<]*')
_CAPTION = re.compile(r'<p class="portal-heading__caption">[^<]*</p>')
_LATER = "portal-check__later"  # in print alone


@dataclass(frozen=True, slots=True)
class CheckAnswers:
    """What was sent with a lesson's address."""

    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)  # numbers from 1, by name of a control
    checked: frozenset[str] = frozenset()  # keys of the checks that are to answer


@dataclass(frozen=True, slots=True)
class ChoiceCheck:
    """A check with choices, as it is asked away from its lesson: nothing in it shows what is right."""

    name: str  # of its controls
    html: str  # the situation, the question and the choices; their values are numbers from 1
    right: frozenset[str]  # numbers


def choice_checks(html: str, prefix: str) -> list[ChoiceCheck]:
    """The checks with choices of a lesson's stored HTML, with names that begin with ``prefix``."""
    checks = []
    for number, block in enumerate(_BLOCK.finditer(html), 1):
        controls, key, _ = block.groups()
        name, right = f"{prefix}-{number}", list[bool]()

        def bare_choice(row: re.Match[str], right: list[bool] = right) -> str:
            style, control_id, name, others, label, _, _, colour = row.groups()
            right.append(colour == "right")
            return (
                f'<input class="{style}" id="{control_id}" name="{name}"{others} value="{len(right)}">{label}'
            )

        bare = _HINT.sub(
            r"\1Choose all that apply." if 'type="checkbox"' in controls else r"\1Choose one.", controls
        )
        bare = _CHOICE.sub(bare_choice, bare).replace(f"check-{key}", name)
        if right:
            is_right = frozenset(str(place) for place, each in enumerate(right, 1) if each)
            checks.append(ChoiceCheck(name, _CAPTION.sub("", bare) + "</fieldset>", is_right))
    return checks


def answer_checks(html: str, answers: CheckAnswers) -> str:
    """The lesson's HTML with its checks as parts of a form, and the feedback to what was chosen."""
    return _answer_all(html, answers) if answers.chosen or answers.checked else _without_answers(html)


@lru_cache(maxsize=256)
def _without_answers(html: str) -> str:
    return _answer_all(html, CheckAnswers())


def _answer_all(html: str, answers: CheckAnswers) -> str:
    return _BLOCK.sub(lambda block: _answer_one(block, answers), html)


def _answer_one(block: re.Match[str], answers: CheckAnswers) -> str:
    controls, key, rest = block.groups()
    answered, told = _answer_choices(controls, key, answers)
    if answered == controls:
        answered, told = _answer_pairs(controls, key, answers)
    if answered == controls:
        return block[0]
    kept = (
        f'<input type="hidden" name="checked" value="{key}" form="{FORM_ID}">'
        if key in answers.checked
        else ""
    )
    return (
        f'<div class="portal-check" id="check-{key}-place">{answered}{told}</fieldset>{kept}'
        '<button class="govuk-button govuk-button--secondary" type="submit" name="checked"'
        f' value="{key}" form="{FORM_ID}" formaction="#check-{key}-place">Check my answer</button>{rest}'
    )


def _answer_choices(controls: str, key: str, answers: CheckAnswers) -> tuple[str, str]:
    """The choices with the feedback of those that were chosen, and what is said of all of them."""
    chosen, is_checked = answers.chosen.get(f"check-{key}", ()), key in answers.checked
    right: list[bool] = []  # of each choice so far

    def answer_choice(row: re.Match[str]) -> str:
        style, control_id, name, others, label, summary, feedback, colour = row.groups()
        right.append(colour == "right")
        is_chosen = (number := str(len(right))) in chosen
        added = f' value="{number}" form="{FORM_ID}"{" checked" if is_chosen else ""}'
        control = f'<input class="{style}" id="{control_id}" name="{name}"{others}{added}>{label}'
        if is_checked and is_chosen:
            return control + feedback
        return control + _fold_html(f"govuk-details portal-check__feedback {_LATER}", summary + feedback)

    answered = _CHOICE.sub(answer_choice, controls)
    if not is_checked or not right:
        return answered, ""
    if not chosen:
        return answered, _message_html("Choose an answer, then check it")
    right_numbers = [str(number) for number, is_right in enumerate(right, 1) if is_right]
    return answered, _verdict_html(right_numbers, chosen) if 'type="checkbox"' in controls else ""


def _verdict_html(right: Sequence[str], chosen: Sequence[str]) -> str:
    """What is said of a check of which several choices are right."""
    hits, misses = len(set(right) & set(chosen)), len(set(chosen) - set(right))
    if hits == len(right) and not misses:
        return _feedback_html("right", "Correct", "You chose every right answer and no other.")
    wrong = f", and {misses} that {'is' if misses == 1 else 'are'} not right" if misses else ""
    return _feedback_html(
        "wrong", "Not yet", f"You chose {hits} of {plural(len(right), 'right answer')}{wrong}."
    )


def _answer_pairs(controls: str, key: str, answers: CheckAnswers) -> tuple[str, str]:
    """The lists to choose from with what was chosen and whether it is right, and what is said of all."""
    is_checked, positions = key in answers.checked, list[int]()  # chosen in each list; 0: nothing

    def answer_pair(row: re.Match[str]) -> str:
        style, control_id, options, folded, correct = row.groups()
        words = _OPTION.findall(options)
        (number,) = (answers.chosen.get(control_id) or ("",))[:1]
        position = int(number) if number.isdecimal() and 0 < int(number) <= len(words) else 0
        positions.append(position)
        tags = "".join(
            f'<option value="{place}"{" selected" if place == position else ""}>{word}</option>'
            for place, word in enumerate(words, 1)
        )
        control = (
            f'<select class="{style}" id="{control_id}" name="{control_id}" form="{FORM_ID}">'
            f'<option value="">Choose</option>{tags}</select></div>'
        )
        if not is_checked or not position:
            return control + _fold_html(f"govuk-details {_LATER}", folded)
        option = _plain_text(words[position - 1])
        is_right = _plain_text(correct) in (option, f"Place {option}")
        return control + (
            _feedback_html("right", "Correct")
            if is_right
            else _feedback_html("wrong", "Not correct", correct)
        )

    answered = _PAIR.sub(answer_pair, controls)
    return answered, _message_html(
        "Choose from each list, then check"
    ) if is_checked and 0 in positions else ""


def _plain_text(html: str) -> str:
    return Markup(html).striptags()  # noqa: S704 - only removes the tags


def _fold_html(style: str, inside: str) -> str:
    return f'<details class="{style}">{inside}</details>'


def _feedback_html(colour: str, verdict: str, text: str = "") -> str:
    said = f"<p>{text}</p>" if text else ""
    return f'<div class="portal-feedback portal-feedback--{colour}"><strong>{verdict}</strong>{said}</div>'


def _message_html(text: str) -> str:
    return f'<p class="govuk-error-message"><span class="govuk-visually-hidden">Error:</span> {text}</p>'
