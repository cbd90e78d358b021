"""The stored HTML of lessons: its parts, its slots, and answers to its checks."""

import html as entities
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count, groupby, pairwise, takewhile

from markupsafe import Markup, escape

from portal.domain.catalogue import version_cache
from portal.domain.catalogue.source_files import SharedContent
from portal.domain.catalogue.version_cache import SharedKey
from portal.platform.wording import plural

# Answers to the checks of a lesson: its stored HTML, with the choices that were sent and their feedback.
#
# A lesson is stored as it was published, with feedback folded below each choice. Here the controls become
# part of one form, whose answers come back with the address and are kept nowhere. Feedback that was not
# asked for stays in the page for print alone. A check in a form that is not known here is shown as it is
# stored.

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


# The parts of a lesson: its headings of the second level, numbered, so that readers see how far they are.

_HEADING = re.compile(r'<h2 class="govuk-heading-m">(.*?)</h2>', re.DOTALL)  # not that of a check


@lru_cache(maxsize=256)
def number_parts(html: str) -> str:
    """The lesson's stored HTML with “Part 1 of 4” above each heading, and an id to link to.

    A lesson of one part, or of none, stays as it is.

    >>> number_parts('<h2 class="govuk-heading-m">Look</h2>')
    '<h2 class="govuk-heading-m">Look</h2>'
    """
    total = len(_HEADING.findall(html))
    if total < 2:
        return html
    numbers = count(1)

    def number_part(heading: re.Match[str]) -> str:
        number = next(numbers)
        return (
            f'<h2 class="govuk-heading-m" id="part-{number}"><span class="portal-part">'
            f'Part {number} of {total}<span class="govuk-visually-hidden">:</span></span> {heading[1]}</h2>'
        )

    return _HEADING.sub(number_part, html)


# Leaves out sentences that need a force setting without a value. Pure: HTML in, HTML out.

FORCE_SLOT = re.compile(r"\{\{force:([^{}]*)\}\}")
_TAG = re.compile(r'(<(?:[^>"]|"[^"]*")*>)')
_NAME = re.compile(r"</?([a-z0-9]+)")
_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)[.?!][)’”\"]*\s+(?![a-z\s])|\x00")
_LABELLED_SLOT = re.compile(r"([^:.]*\w[^:.]*):\s*\{\{force:[^{}]*\}\}\.?\s*")
_EMPTY_INLINE = re.compile(r"<(strong|em|a|code|span)\b[^>]*>\s*</\1>")
_VOID = frozenset({"br", "hr", "img", "input", "source", "track"})
_INLINE = frozenset({"", "a", "br", "code", "em", "img", "span", "strong"})
_REMOVABLE = frozenset({"p", "li", "td"})  # may go with their only sentence
_LISTS = frozenset({"ul", "ol", "table", "div"})
_PARENTS = frozenset({*_LISTS, "tbody", "blockquote", "details"})  # go with all of their content
_TITLES = frozenset({"summary", "thead"})  # no content of their own
_HEADINGS = ("h2", "h3", "h4", "h5", "h6")


@dataclass
class _Node:
    """An element with its start tag as written, or a text; the root has neither."""

    start: str = ""
    text: str = ""
    children: "list[_Node]" = field(default_factory=list)
    is_left_out: bool = False

    @property
    def tag(self) -> str:
        name = _NAME.match(self.start)
        return name[1] if name else ""

    @property
    def html(self) -> str:
        if not self.start or self.tag in _VOID:
            return self.start + self.text + _html_of(self.children)
        return f"{self.start}{_html_of(self.children)}</{self.tag}>"


def leave_out_unset(html: str, labels: Mapping[str, str]) -> str:
    """Leave out each sentence with a slot of an unset setting, and what is empty without it.

    A paragraph, list item or row goes with its last sentence; so do a list with its lead-in, and a heading
    with nothing below it. A cell keeps its label. What must not be empty, like a choice, names the setting.

    Args:
        html: Sanitised HTML with slots.
        labels: Labels of the unset settings by key.
    """
    if not _has_unset(html, labels):
        return html
    root = _parse_html(html)
    _shorten_block(root, labels)
    return root.html


def name_unset(html: str, labels: Mapping[str, str]) -> str:
    """Put the label of each unset setting in its slot."""
    return FORCE_SLOT.sub(lambda slot: f"[{labels[slot[1]]}]" if slot[1] in labels else slot[0], html)


def _has_unset(html: str, labels: Mapping[str, str]) -> bool:
    return any(slot[1] in labels for slot in FORCE_SLOT.finditer(html))


def _has_words(html: str) -> bool:
    return bool(re.search(r"\w", _TAG.sub("", html)))


def _html_of(nodes: list[_Node]) -> str:
    return "".join(node.html for node in nodes)


def _parse_html(html: str) -> _Node:
    branch = [_Node()]
    for piece in filter(None, _TAG.split(html)):
        if not _TAG.fullmatch(piece):
            branch[-1].children.append(_Node(text=piece))
        elif piece.startswith("</"):
            branch = branch[:-1] or branch
        else:
            branch[-1].children.append(_Node(piece))
            if branch[-1].children[-1].tag not in _VOID:
                branch.append(branch[-1].children[-1])
    return branch[0]


def _shorten_block(node: _Node, labels: Mapping[str, str]) -> None:
    """Shorten the texts in a block, then remove the blocks in it that have become empty."""
    for is_inline, run in groupby(node.children, key=lambda child: child.tag in _INLINE):
        if is_inline:
            _shorten_text(node, list(run), labels)
        else:
            for child in run:
                _shorten_block(child, labels)
    if not any(child.is_left_out for child in node.children):
        return
    _leave_out_lead_ins(node)
    _leave_out_headings(node)
    if node.tag == "tr":
        node.is_left_out = any(child.is_left_out for child in node.children)
    node.children = [child for child in node.children if not child.is_left_out]
    content = [child for child in node.children if child.tag not in _TITLES]
    if node.tag in _REMOVABLE | _PARENTS and not _has_words(_html_of(content)):
        node.is_left_out = True


def _shorten_text(node: _Node, inline: list[_Node], labels: Mapping[str, str]) -> None:
    """Shorten a text of a block: inline elements that follow each other."""
    html = _html_of(inline)
    if not _has_unset(html, labels):
        return
    label = _LABELLED_SLOT.fullmatch(html) if node.tag == "td" else None
    shorter = label[1] if label else _cut_sentences(html, lambda sentence: _has_unset(sentence, labels))
    is_empty = not _has_words(shorter)
    if is_empty and node.tag not in _REMOVABLE:
        is_empty, shorter = False, name_unset(html, labels)
    inline[0].start, inline[0].text, inline[0].children = "", shorter, []
    for child in inline if is_empty else inline[1:]:
        child.is_left_out = True


def _cut_sentences(html: str, is_cut: Callable[[str], bool]) -> str:
    """The text without some of its sentences; a line break ends a sentence, too."""
    pieces = _TAG.split(html)
    words = [
        "\x00" if piece.startswith("<br") else "" if piece.startswith("<") else piece for piece in pieces
    ]
    text = "".join(words)
    ends = [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    cut = {
        at
        for first, last in zip([0, *ends], ends, strict=False)
        if is_cut(text[first:last])
        for at in range(first, last)
    }
    at, shorter = 0, ""
    for piece, word in zip(pieces, words, strict=True):
        kept = "".join(letter for number, letter in enumerate(word, at) if number not in cut)
        shorter += kept.replace("\x00", piece) if word else piece
        at += len(word)
    while _EMPTY_INLINE.search(shorter):
        shorter = _EMPTY_INLINE.sub("", shorter)
    return re.sub(r"(\s|<br[^>]*>)+$", "", shorter)


def _leave_out_lead_ins(node: _Node) -> None:
    """Cut “There are three:” before a list that is left out."""
    blocks = [child for child in node.children if child.start]
    for before, after in pairwise(blocks):
        if after.is_left_out and after.tag in _LISTS and before.tag == "p":
            shorter = _cut_sentences(_html_of(before.children), lambda sentence: sentence.endswith(":"))
            before.children = [_Node(text=shorter)]
            before.is_left_out = not _has_words(shorter)


def _leave_out_headings(node: _Node) -> None:
    """Leave out headings of which everything below is left out."""
    blocks = [child for child in node.children if child.start]
    for at in reversed(range(len(blocks))):
        if blocks[at].tag in _HEADINGS:
            upper = _HEADINGS[: _HEADINGS.index(blocks[at].tag) + 1]
            section = list(takewhile(lambda block: block.tag not in upper, blocks[at + 1 :]))  # noqa: B023
            blocks[at].is_left_out = bool(section) and all(block.is_left_out for block in section)


# Filling of slots in rendered HTML: the force's settings and the meanings of terms.

_SLOT = re.compile(r"\{\{(force|term):([^{}]*)\}\}")


def fill_placeholders(html: str, shared: SharedKey | None = None, *, names_unset: bool = False) -> Markup:
    """Fill each slot of stored, safe HTML with escaped text.

    A sentence whose force setting has no value is left out; a term that is no longer in the glossary becomes
    empty.

    Args:
        html: HTML that was rendered and sanitised when it was published.
        shared: Key of the glossary and settings if the page has read it; by default it is read here.
        names_unset: Keep such a sentence, with the setting's label in brackets, for its author.
    """
    if not _SLOT.search(html):
        shared = None
    elif shared is None:
        shared = version_cache.shared_key()
    return _fill_from(html, shared, names_unset)


@lru_cache(maxsize=256)
def _fill_from(html: str, shared: SharedKey | None, names_unset: bool) -> Markup:
    content = version_cache.shared_content(shared) if shared else SharedContent()
    labels = {key: str(escape(content.label_of(key))) for key in _unset_keys(html, content)}
    html = name_unset(html, labels) if names_unset else leave_out_unset(html, labels)

    def fill_slot(slot: re.Match[str]) -> str:
        if slot[1] == "force":
            return str(escape(content.values[slot[2]]))
        term = content.terms.get(entities.unescape(slot[2]))
        return str(escape(term.text)) if term else ""

    return Markup(_SLOT.sub(fill_slot, html))  # noqa: S704 - sanitised when it was published


def _unset_keys(html: str, content: SharedContent) -> set[str]:
    return {slot[1] for slot in FORCE_SLOT.finditer(html)} - content.values.keys()
