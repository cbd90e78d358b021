"""The ``::: for`` block: a part of a text that is for some duties, and its folding for readers of others.

Stored HTML has every part open, so whatever does not know its reader (a guide, a preview, a search, a PDF)
shows all of it. Only a page for one reader folds what is not theirs, and whoever likes opens it.
"""

import re
from collections.abc import Callable, Collection, Sequence

from markupsafe import Markup

from portal.domain.people.duties import DUTIES, duty_words
from portal.platform.errors import listed_words

_ARGUMENT = re.compile(r"([^:]*)(?::[ \t]*(.*))?")
_PART = re.compile(r'<details class="govuk-details portal-for ([a-z\- ]+)" open="">')
_CLASS = "portal-for--"


def duty_argument_fault(argument: str) -> str | None:
    """What is wrong with the words after ``::: for``, as a sentence; None if nothing is.

    >>> duty_argument_fault("custody contact: On arrival") is None
    True
    """
    keys, title = _split_argument(argument)
    unknown = next((key for key in keys if key not in DUTIES), None)
    if unknown is not None:
        return f"“{unknown}” is not a duty. Use {listed_words(DUTIES)}, with spaces between them."
    if not keys:
        return f"Say for whom the part is, such as ::: for custody. Use {listed_words(DUTIES)}."
    if len(set(keys)) < len(keys):
        return "The same duty is there twice. Write it once."
    if title == "":
        return "Write what the part is about after the colon, or take the colon out."
    return None


def duty_part_open(argument: str, inline: Callable[[str], str]) -> str:
    """The start of a part, open, whose summary says for whom it is: “For custody: On arrival”."""
    keys, title = _split_argument(argument)
    classes = " ".join(_CLASS + key for key in keys if key in DUTIES)
    summary = f"For {duty_words(keys)}" + (f": {inline(title)}" if title else "")
    return (
        f'<details class="govuk-details portal-for {classes}" open="">'
        '<summary class="govuk-details__summary">'
        f'<span class="govuk-details__summary-text">{summary}</span></summary>'
        '<div class="govuk-details__text">\n'
    )


def has_duty_parts(html: str) -> bool:
    """Whether stored HTML has a part that is for some duties alone."""
    return 'class="govuk-details portal-for ' in html


def fold_duty_parts(html: Markup, duties: Collection[str]) -> Markup:
    """Fold each part that is for none of a reader's duties; nothing if none of them is known.

    Args:
        html: Stored HTML, or what became of it for a page.
        duties: Of the reader.
    """
    if not duties:
        return html

    def fold(part: re.Match[str]) -> str:
        its_duties = {name.removeprefix(_CLASS) for name in part[1].split()}
        return part[0] if its_duties & set(duties) else part[0].replace(' open=""', "")

    return Markup(_PART.sub(fold, str(html)))  # noqa: S704 - takes away a fixed attribute


def _split_argument(argument: str) -> tuple[Sequence[str], str | None]:
    """The keys of duties, and what the part is about; None without a colon."""
    match = _ARGUMENT.fullmatch(argument)
    keys, title = match.groups() if match else (argument, None)
    return keys.split(), title
