"""What a kind of item is: how it is written, shown, answered, marked, read back and edited."""

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

Content = dict[str, Any]  # an item's content as the database keeps it: JSON, texts rendered and safe
FormValues = Mapping[str, Sequence[str]]  # a form as it was sent: every value by the name of its field

NO_MARK = Decimal("0.0000")
FULL_MARK = Decimal("1.0000")
_SLOT = re.compile(r"\{\{[^{}]*\}\}")  # what the force fills in when a page is shown


class Renderer(Protocol):
    """From an author's Markdown to safe HTML; ``line`` is where the text stands in its file."""

    def render_inline(self, text: str, line: int) -> str:
        """One paragraph without its ``<p>``."""

    def render_block(self, text: str, line: int) -> str:
        """Paragraphs, lists and tables."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: keys that the kind understands, and the texts that the learner wrote beside them.

    The keys stand in the fact, the texts in an ordinary table, so that they can be erased.
    """

    choices: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    repeats_question: bool = field(
        default=False, compare=False
    )  # the same question is shown next: it went on


class AnswerError(RuleError):
    """The input is not a valid answer to the item; holds the errors and the input, to be shown again.

    Args:
        places: A sentence and the id of the control that it is about.
        typed: The part of the input that could be read.
        saved: Whether the answer saved last is shown instead, beside the texts of ``typed``.
    """

    def __init__(self, *places: tuple[str, str], typed: Answer | None = None, saved: bool = False) -> None:
        self.problems, self.saved = places, saved
        self.typed = typed or Answer()
        super().__init__(" ".join(sentence for sentence, _ in places))

    def answer_to_show(self, last: Answer) -> Answer:
        """The answer that the page shows again; ``last`` is the answer that was saved."""
        return Answer(last.choices, {**last.texts, **self.typed.texts}) if self.saved else self.typed


class ItemKind(ABC):
    """One kind of item. Stateless; ``content`` is what ``render_content`` made at publishing."""

    name: ClassVar[str]  # the word in an item's file
    label: ClassVar[str]  # in an author's list of kinds
    advice: ClassVar[str]  # when to choose it, one sentence
    position: ClassVar[int] = 100  # among the kinds offered to authors
    takes_texts: ClassVar[bool] = False  # whether learners write texts in it
    usable_as_check: ClassVar[bool] = False  # whether a lesson may hold it as an unscored exercise

    def template_path(self, part: str) -> str:
        """The template of a part: ``item`` asks, ``read_answer`` reads back, ``editor`` edits."""
        return f"kinds/{self.name}/{part}.html"

    @abstractmethod
    def read_content(self, table: Table, key: str, prefix: str) -> Any:
        """The content as written, a frozen dataclass; faults go to the table.

        Args:
            table: The item's.
            key: The item's, for a fault.
            prefix: What stands before the names of tables below: ``item.`` in a bank.
        """

    @abstractmethod
    def render_content(self, written: Any, renderer: Renderer) -> Content:
        """What ``read_content`` returned, as the database keeps it."""

    @abstractmethod
    def shufflable_keys(self, content: Content) -> list[str]:
        """What a draw puts in random order; ``order`` is a permutation of it, kept with the attempt."""

    @abstractmethod
    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """From 0 to 1, in four places, whatever the choices are; pure."""

    @abstractmethod
    def best_choices(self, content: Content) -> list[str]:
        """Choices that earn the whole mark."""

    @abstractmethod
    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """A complete answer at random."""

    @abstractmethod
    def read_answer(self, content: Content, order: Sequence[str], sent: FormValues) -> Answer:
        """The form as a response.

        Raises:
            AnswerError: Something is missing or is not the item's.
        """

    @abstractmethod
    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether nothing is left to be answered."""

    @abstractmethod
    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> Any:
        """What the templates need to ask the item, or to read it back, as ``build_view``."""

    @abstractmethod
    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """The answer in safe HTML, a line or a few, for “Check your answers”."""

    def countable_choices(self, content: Content) -> list[tuple[str, str, bool]]:
        """Choices whose takers are counted: the key in a response, safe HTML, whether it is right."""
        return [(choice["key"], choice["html"], choice["correct"]) for choice in content.get("choices", ())]

    def render_exercise(self, written: Any, name: str, inline: Callable[[str], str]) -> str:
        """The controls of an unscored exercise, named ``name``; called only if ``usable_as_check``."""
        raise NotImplementedError


def plain_text(html: str) -> str:
    """Safe HTML as the plain text of a sentence or of a list to choose from.

    >>> plain_text("Call <em>NCCU</em> &amp; wait")
    'Call NCCU & wait'
    """
    return Markup(_SLOT.sub("…", html)).striptags()  # noqa: S704 - only to take the tags out


def scale_mark(gained: Decimal, most: Decimal) -> Decimal:
    """The share from 0 to 1, cut to four places so that it never flatters.

    >>> scale_mark(Decimal(2), Decimal(3))
    Decimal('0.6666')
    """
    if most <= 0:
        return NO_MARK
    return min(FULL_MARK, max(NO_MARK, gained / most)).quantize(NO_MARK, rounding=ROUND_DOWN)
