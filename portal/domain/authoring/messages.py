"""Rewords the check's messages for authors, without file names, line numbers or TOML. Pure functions."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from portal.domain.authoring.content_diff import FIELD_LABELS, ROW_NOUNS, humanise_key
from portal.platform.formats.toml_tables import Trail, line_numbers

MessageWriter = Callable[[re.Match[str], Mapping[str, str]], str]

MISSING_MESSAGES = {
    "[assessment]": "The rules of the assessment are missing. Write them in the module’s details.",
    "[[outcome]]": "The module needs at least one outcome. Write it in the module’s details.",
    "[[item]]": "There is no question here yet. Write one.",
    "lessons": "The module needs at least one lesson.",
}


def _field_label(name: str) -> str:
    return FIELD_LABELS.get(name, humanise_key(name))


def _missing_message(match: re.Match[str], _: Mapping[str, str]) -> str:
    name = match[1]
    if name in MISSING_MESSAGES:
        return MISSING_MESSAGES[name]
    group = re.fullmatch(r"\[\[(?:\w+\.)*(\w+)\]\]", name)
    if group:
        return f"There is no {ROW_NOUNS.get(group[1], humanise_key(group[1]).lower())} yet. Add one."
    return f"{_field_label(name)} is missing. Write it."


def _field_message(sentence: str) -> MessageWriter:
    return lambda match, _: sentence.format(_field_label(match[1]), *match.groups()[1:])


def _outcome_message(sentence: str) -> MessageWriter:
    return lambda match, outcomes: sentence.format(outcomes.get(match[1], match[1]), *match.groups()[1:])


def _plain_message(sentence: str) -> MessageWriter:
    return lambda match, _: sentence.format(*(group or "" for group in match.groups()))


RULES: list[tuple[str, MessageWriter]] = [
    (r"“([^”]+)” is missing\.", _missing_message),
    (r"“(\w+)” needs a text between quotation marks\.", _field_message("{} is empty. Write it.")),
    (
        r"“(\w+)” needs a whole number, (\d+) or more\.",
        _field_message("{} needs a whole number, {} or more."),
    ),
    (
        r"“(\w+)” needs a number above 0 and at most 1.*",
        _field_message("{} needs a percentage from 1 to 100."),
    ),
    (
        r"“(\w+)” needs a number from 0 to 1, .*",
        _field_message("{} needs a number from 0 to 1, such as 0.5, with at most four places."),
    ),
    (r"“(\w+)” needs true or false\.", _field_message("{} needs yes or no.")),
    (r"“(\w+)” needs a date .*", _field_message("{} needs a date, such as 31 May 2027.")),
    (r"“(\w+)” needs a list of texts.*", _field_message("{} needs at least one entry. Choose or write one.")),
    (r"“(\w+)” names something twice\..*", _field_message("{}: something is named twice. Name each once.")),
    (r"“(\w+)” needs (?:a table|tables) headed .*", _field_message("{} cannot be read. Write it again.")),
    (
        r"“([^”]*)” is not a known key here\..*",
        _plain_message("The portal does not know “{}” here. Take it out."),
    ),
    (
        r"The outcome “(.+?)”(?: of “.+”)? is not in module\.toml\..*",
        _plain_message("The outcome “{}” is not one of this module’s. Choose one that is."),
    ),
    (
        r"No lesson covers the outcome “(.+)”\. Name it in one\.",
        _outcome_message("No lesson covers the outcome “{}”. Choose it in a lesson."),
    ),
    (
        r"The outcome “(.+)” has (\d+) items and needs (\d+)\..*",
        _outcome_message("The outcome “{}” has {} questions and needs {}. Write more."),
    ),
    (
        r"The outcome “(.+)” is used twice\..*",
        _outcome_message("The outcome “{}” is listed twice. Remove one."),
    ),
    (
        r"The assessment draws (\d+) items, but the bank has (\d+)\..*",
        _plain_message("An assessment asks {} questions, but there are {}. Write more, or ask fewer."),
    ),
    (
        r"(\d+) items cannot hold (\d+) of each outcome\..*",
        _plain_message("{} questions are too few for {} of each outcome. Ask more in an assessment."),
    ),
    (
        r"The key “(.+?)” is also used in .*",
        _plain_message("Another question is called “{}” too. Give this one another name."),
    ),
    (
        r"The key “(.+?)” is used twice in this lesson\..*",
        _plain_message("Two checks of this lesson have the key “{}”. Give each its own."),
    ),
    (
        r"The key “(.+?)” is used twice in this item\..*",
        _plain_message("“{}” is used twice in this question. Remove one."),
    ),
    (
        r"The source “(.+?)” of “.+?” is not in _sources\.toml\..*",
        _plain_message("The source “{}” is not on the list of sources. Choose one that is, or “Practice”."),
    ),
    (
        r"The source “(.+?)” of “.+?” is not testable\..*",
        _plain_message("The source “{}” may not be tested. Choose another, or “Practice”."),
    ),
    (
        r"The item “.+?” has (\d+) correct choices\. Mark (exactly one|two or more) correct = true\.",
        lambda match, _: f"Mark {match[2]} as right. Now {match[1]} {'is' if match[1] == '1' else 'are'}.",
    ),
    (
        r"Write the prompt as one paragraph\..*",
        _plain_message("Write the question as one paragraph. What comes before it belongs in the situation."),
    ),
    (
        r"“\[\[force\.(.*?)\]\]” is not in _force\.toml\..*",
        _plain_message("The force has no entry “{}”. Correct the name between the brackets."),
    ),
    (
        r"“(.+)” is not in _glossary\.toml\. Add the term, or write its words\.",
        _plain_message("“{}” is not in the glossary. Write its words instead."),
    ),
    (
        r"There is no media/(\S+\.narrow\.\w+)\. Draw the figure once more, 320 wide, for phones\.",
        _plain_message(
            "There is no drawing for phones. Draw the figure once more, 320 wide, and upload it as {}."
        ),
    ),
    (
        r"“(.+)” is not in _glossary\.toml\..*",
        _plain_message("“{}” is not in the glossary. Correct the link."),
    ),
    (
        r"There is no media/(\S+) in the module's folder\..*",
        _plain_message("There is no file “{}” among the media. Upload it, or correct the name."),
    ),
    (
        r"Write the figure's content as text between .*",
        _plain_message("A figure has no text alternative. Between ::: figure and :::, write what it shows."),
    ),
    (
        r"There is no lessons/(.+)\.md\..*",
        _plain_message("The lesson “{}” has no text. Write it, or remove the lesson."),
    ),
    (
        r"Add “(.+)” to the list of lessons in .*",
        _plain_message("The lesson “{}” is not on the list of lessons. Add it, or remove it."),
    ),
    (
        r"Begin with front matter:.*",
        _plain_message("The title above the text cannot be read. Write it again."),
    ),
    (r"Write the text below the front matter\.", _plain_message("There is no text yet. Write it.")),
    (r"This is not TOML: .*", _plain_message("This part cannot be read. Look for a missing quotation mark.")),
    (r"The key must be the folder's name: .*", _plain_message("The module’s key may not be changed.")),
    (
        r"“(.+)” is not a key\..*",
        _plain_message("“{}” cannot be a key. Use letters, digits and single hyphens."),
    ),
]
_EMPTY = re.compile(r"“(\w+)” (?:is missing\.|needs a text between quotation marks\.)")
_COMPILED = [(re.compile(pattern, re.DOTALL), write_message) for pattern, write_message in RULES]

REPLACEMENTS = [
    (re.compile(r"\[\[(?:\w+\.)*(\w+)\]\]"), lambda m: ROW_NOUNS.get(m[1], m[1])),
    (re.compile(r"\s*(?:in|to|from) (?:_?[\w/\-]+\.(?:toml|md))"), lambda m: ""),
    (re.compile(r"_?[\w/\-]+\.(?:toml|md)"), lambda m: "the module"),
    (re.compile(r"The items? “[^”]*”"), lambda m: "This question"),
    (re.compile(r"\bitems?\b"), lambda m: "questions" if m[0].endswith("s") else "question"),
    (re.compile(r"(\w+) = \S+"), lambda m: _field_label(m[1]).lower()),
    (re.compile(r"\bTOML\b"), lambda m: "text"),
]


def author_message(reason: str, outcomes: Mapping[str, str], row: str = "") -> str:
    """A fault's message for authors.

    Args:
        reason: The check's message.
        outcomes: Texts of outcomes by key.
        row: The row that it is about, such as “step 2”; empty: none.
    """
    if not row:
        return _translate_reason(reason, outcomes)
    row = row[0].upper() + row[1:]
    if empty := _EMPTY.fullmatch(reason):
        return (
            f"{row} is empty. Write it."
            if empty[1] == "text"
            else f"{row}: {_field_label(empty[1])} is empty. Write it."
        )
    return f"{row}: {_translate_reason(reason, outcomes)}"


def _translate_reason(reason: str, outcomes: Mapping[str, str]) -> str:
    for pattern, write_message in _COMPILED:
        if match := pattern.fullmatch(reason):
            return write_message(match, outcomes)
    for pattern, replacement in REPLACEMENTS:
        reason = pattern.sub(replacement, reason)
    return reason


def row_name(text: str, line: int) -> str:
    r"""The row that contains a line, such as “choice 2 of scene 1”, as pages count them; empty: none.

    >>> text = "[[item]]\n[[item.step]]\ntext = 'a'\n[[item.step]]\ntext = ''"
    >>> row_name(text, 5), row_name(text, 1)
    ('step 2', '')
    """
    above = max((at for at in _header_lines(text) if at[0] <= line), default=(0, ()))
    rows = [f"{ROW_NOUNS[name]} {number + 1}" for name, number in above[1] if name in ROW_NOUNS]
    return " of ".join(reversed(rows))


@lru_cache(maxsize=4)
def _header_lines(text: str) -> list[tuple[int, Trail]]:
    """Lines of table headers; cached, because a file may have many faults."""
    return [(at, trail) for (trail, key), at in line_numbers(text).items() if not key]
