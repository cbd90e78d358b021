"""What a kind of item has to provide: reading, rendering, marking and showing its content."""

import random
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any, ClassVar, Protocol

from markupsafe import Markup

from portal.platform.errors import RuleError
from portal.platform.formats.toml_tables import Table

Content = dict[str, Any]  # an item's content as the database stores it: JSON with rendered, safe HTML
FormValues = Mapping[str, Sequence[str]]  # a submitted form: every value by the name of its field

NO_MARK = Decimal("0.0000")
FULL_MARK = Decimal("1.0000")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # databases refuse some of these
_SLOT = re.compile(r"\{\{[^{}]*\}\}")  # a force setting or term, filled in when the page is shown


@dataclass(frozen=True, slots=True)
class ShownDrawing:
    """A drawing of the module, as a page shows it; ``narrow`` is drawn for phones."""

    address: str
    width: int  # in the drawing's own units
    height: int
    title: str
    description: str
    narrow: "ShownDrawing | None" = None


class Renderer(Protocol):
    """Renders an author's Markdown as safe HTML; ``line`` is the text's line in its file."""

    def render_inline(self, text: str, line: int) -> str:
        """Render one paragraph without its ``<p>``."""

    def render_block(self, text: str, line: int) -> str:
        """Render paragraphs, lists and tables."""

    def find_drawing(self, path: str, line: int) -> ShownDrawing | None:
        """Return the module's drawing at ``path``; None, with a fault added, if there is none."""

    def add_fault(self, line: int, reason: str) -> None:
        """Add a fault at a line of the file."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: keys that the kind understands, and the texts that the learner typed.

    The keys are stored in the response row, the texts in an ordinary table, so that they can be erased.
    """

    choices: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    repeats_question: bool = field(default=False, compare=False)  # saved, but the question is not finished
    picked: str = field(default="", compare=False)  # a form value to show again, never saved


class AnswerError(RuleError):
    """The submitted form is not a valid answer to the item.

    Args:
        problems: For each problem, a sentence and the id of the control that it concerns.
        typed: The part of the input that could be read, to be shown again.
        saved: Whether to show the answer saved last instead, together with the texts of ``typed``.
    """

    def __init__(self, *problems: tuple[str, str], typed: Answer | None = None, saved: bool = False) -> None:
        self.problems, self.saved = problems, saved
        self.typed = typed or Answer()
        super().__init__(" ".join(sentence for sentence, _ in problems))

    def answer_to_show(self, last: Answer) -> Answer:
        """Return the answer to show again; ``last`` is the answer that was saved."""
        return Answer(last.choices, {**last.texts, **self.typed.texts}) if self.saved else self.typed


@dataclass(frozen=True, slots=True)
class RubricPart:
    """A text that a learner writes in a case, and what is looked for in it: safe HTML."""

    key: str
    label: str  # plain text
    model_html: str
    statements_html: tuple[str, ...]  # each true of a good text, or not: yes or no


class ItemKind(ABC):
    """One kind of item. Stateless.

    ``written`` is the content as the author wrote it, a frozen dataclass of the kind. ``content`` is what
    ``render_content`` made of it when the item was published. ``order`` is the permutation of
    ``shufflable_keys`` that one attempt shows.
    """

    name: ClassVar[str]  # the value of ``kind`` in an item's file
    label: ClassVar[str]  # in an author's list of kinds
    advice: ClassVar[str]  # when to choose it, one sentence
    position: ClassVar[int] = 100  # among the kinds offered to authors
    takes_texts: ClassVar[bool] = False  # whether learners type texts in it
    usable_as_item: ClassVar[bool] = True  # whether the bank of an assessment may contain it
    usable_as_check: ClassVar[bool] = False  # whether a lesson may contain it as an unscored exercise
    usable_as_case: ClassVar[bool] = False  # whether a lesson may be one, unscored, with a debrief

    def template_path(self, part: str) -> str:
        """Return the template of a part: ``item`` (asks), ``answer`` (reads back), ``editor``.

        A kind that is usable as a case also has ``debrief``.
        """
        return f"kinds/{self.name}/{part}.html"

    @abstractmethod
    def read_content(self, table: Table, key: str, prefix: str) -> Any:
        """Read the content as written; faults are added to the table.

        Args:
            table: The item's TOML table.
            key: The item's key, for messages.
            prefix: Prefix of the names of nested tables: ``item.`` in a bank of items.
        """

    @abstractmethod
    def render_content(self, written: Any, renderer: Renderer) -> Content:
        """Render the result of ``read_content`` as the JSON that the database stores."""

    @abstractmethod
    def shufflable_keys(self, content: Content) -> list[str]:
        """Return the keys that each attempt puts in random order."""

    @abstractmethod
    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Return the mark, 0 to 1 in four places, for any choices whatever. Pure."""

    @abstractmethod
    def best_choices(self, content: Content) -> list[str]:
        """Return choices that earn the full mark."""

    @abstractmethod
    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Return a complete answer at random."""

    @abstractmethod
    def read_answer(self, content: Content, order: Sequence[str], form: FormValues) -> Answer:
        """Read the answer from a submitted form.

        Raises:
            AnswerError: Something is missing, or is not one of the item's options.
        """

    @abstractmethod
    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether the choices answer the whole item."""

    @abstractmethod
    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> Any:
        """Build what the kind's templates use as ``shown``, to ask the item or to read it back."""

    @abstractmethod
    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """Return the answer as one or more lines of safe HTML, for “Check your answers”."""

    def may_replace(self, saved: Answer, new: Answer) -> bool:
        """Whether an assessment takes ``new`` in place of the answer that was saved."""
        return True

    def opening_html(self, content: Content) -> str:
        """Return the situation that a case begins with: safe HTML.

        Called only if ``usable_as_case`` is true.
        """
        raise NotImplementedError

    def rubric(self, content: Content) -> list[RubricPart]:
        """Return the texts of a case that are compared with a model by statements; none by default."""
        return []

    def countable_choices(self, content: Content) -> list[tuple[str, str, bool]]:
        """List the choices that statistics count: key in a response, safe HTML, whether correct."""
        return [(choice["key"], choice["html"], choice["correct"]) for choice in content.get("choices", ())]

    def render_exercise(self, written: Any, name: str, inline: Callable[[str], str]) -> str:
        """Render the controls of an unscored exercise with the id ``name``.

        Called only if ``usable_as_check`` is true.
        """
        raise NotImplementedError


def plain_text(html: str) -> str:
    """Return safe HTML as plain text; slots become an ellipsis.

    >>> plain_text("Call <em>NCCU</em> &amp; wait")
    'Call NCCU & wait'
    """
    return Markup(_SLOT.sub("…", html)).striptags()  # noqa: S704 - only removes the tags


def single_value(form: FormValues, name: str) -> str:
    """Return the first value of a field; empty if it was not sent."""
    return (form.get(name) or [""])[0]


def typed_text(form: FormValues, name: str) -> str:
    """Return the text typed into the control ``name``, without invisible characters."""
    return normalise_text(_INVISIBLE.sub("", single_value(form, name)))


def length_error(text: str, maximum: int) -> str:
    """Return the message for a text longer than ``maximum`` characters; empty if it is not."""
    if len(text) <= maximum:
        return ""
    return f"Keep this under {maximum:,} characters. You have written {len(text):,}"


def normalise_text(value: str | None) -> str:
    """Return a text as files store it: LF line ends, no surrounding space."""
    return (value or "").replace("\r\n", "\n").replace("\r", "\n").strip()


def scale_mark(gained: Decimal, maximum: Decimal) -> Decimal:
    """Return the share of the maximum, 0 to 1, cut (not rounded) to four places so that it never flatters.

    >>> scale_mark(Decimal(2), Decimal(3))
    Decimal('0.6666')
    """
    if maximum <= 0:
        return NO_MARK
    return min(FULL_MARK, max(NO_MARK, gained / maximum)).quantize(NO_MARK, rounding=ROUND_DOWN)
