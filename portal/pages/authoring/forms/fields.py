"""What the desk's forms share: texts as a file can hold them, and numbers and days read generously."""

import re
from decimal import Decimal
from typing import Any

from wtforms import Field, Form, StringField, TextAreaField, ValidationError

from portal.platform.clock import read_day

LONGEST_LINE = 200
LONGEST_TEXT = 60_000
_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c]")  # a word processor's own line ends among them
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufeff]")  # nobody can see or miss these


class Line(StringField):  # type: ignore[misc]
    """One line of text, without white space around it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed, line ends and runs of spaces folded."""
        if valuelist:
            self.data = " ".join(_seen(valuelist[0]).split())


class Text(TextAreaField):  # type: ignore[misc]
    """Several lines, ended by LF alone as in the module's files."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed, its line ends made one kind."""
        if valuelist:
            self.data = _seen(valuelist[0])


def _seen(text: str) -> str:
    """The text with one kind of line end, and without characters that a file of the module may not hold."""
    return _UNSEEN.sub("", _BREAKS.sub("\n", text))


class Needed:
    """Refuse an empty field with this sentence."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: Form, field: Field) -> None:
        """Raise where nothing but white space was typed."""
        if not str(field.data or "").strip():
            raise ValidationError(self.sentence)


class Plain:
    """Refuse what is too long."""

    def __init__(self, most: int = LONGEST_LINE) -> None:
        self.most = most

    def __call__(self, _form: Form, field: Field) -> None:
        """Raise with the length."""
        text = str(field.data or "")
        if len(text) > self.most:
            raise ValidationError(
                f"This has {len(text):,} characters. Shorten it to {self.most:,} or fewer; nothing was saved."
            )


class Whole(StringField):  # type: ignore[misc]
    """A whole number from ``least`` to ``most``, read from text; empty gives ``empty`` where that is set."""

    def __init__(
        self, label: str, *, least: int, most: int, said: str, empty: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(label, **kwargs)
        self.least, self.most, self.said, self.empty = least, most, said, empty

    def pre_validate(self, form: Form) -> None:
        """Raise where the text is no such number."""
        if self.number is None:
            raise ValidationError(self.said)

    @property
    def number(self) -> int | None:
        """The number, None where there is none in the range."""
        text = str(self.data or "").strip()
        if not text:
            return self.empty
        if not re.fullmatch(r"[0-9]{1,6}", text):
            return None
        return int(text) if self.least <= int(text) <= self.most else None


class Percent(StringField):  # type: ignore[misc]
    """A share from above 0 to 100 per cent, with at most two places."""

    def pre_validate(self, form: Form) -> None:
        """Raise where the text is no such share."""
        if self.share is None:
            raise ValidationError("Enter the pass mark as a number from 1 to 100, such as 80")

    @property
    def share(self) -> Decimal | None:
        """The share from 0 to 1, None where the text is none."""
        text = str(self.data or "").strip().removesuffix("%").removesuffix("per cent").strip()
        if not re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,2})?", text):
            return None
        share = Decimal(text) / 100
        return share if 0 < share <= 1 else None


class Day(StringField):  # type: ignore[misc]
    """A day as people write it."""

    def pre_validate(self, form: Form) -> None:
        """Raise where the text names no day."""
        if read_day(str(self.data or "")) is None:
            raise ValidationError("Enter a date such as 31 May 2027")
