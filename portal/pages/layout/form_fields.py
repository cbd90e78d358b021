"""Form fields that several rooms use: texts as files hold them, numbers and days as people write them."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from wtforms import Field, Form, SelectMultipleField, StringField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice

from portal.pages.layout.form_widgets import GovCheckboxes
from portal.platform.clock import read_day, today

LONGEST_LINE = 200
LONGEST_TEXT = 60_000
FARTHEST_FIRST_DAY = 5 * 365  # days ahead
_LINE_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c]")  # a word processor's own among them
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufeff]")  # nobody can see or miss these
_DAY_AND_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? ([a-z]{3,9})|(\d{2})-(\d{2})", re.IGNORECASE)


def clean_text(text: str) -> str:
    """The text with LF as its only line break, and without characters that nobody can see."""
    return _INVISIBLE.sub("", _LINE_BREAKS.sub("\n", text))


def read_whole_number(text: str) -> int | None:
    """The whole number that a text is, with or without commas between thousands; None if it is none."""
    digits = text.strip().replace(",", "")
    return int(digits) if re.fullmatch(r"[0-9]{1,6}", digits) else None


class LineField(StringField):  # type: ignore[misc]
    """One line of text, without white space around it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed, with line breaks and runs of spaces folded into single spaces."""
        if valuelist:
            self.data = " ".join(clean_text(valuelist[0]).split())


class LinesField(TextAreaField):  # type: ignore[misc]
    """Several lines of text, which end with LF alone."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed, with one kind of line break."""
        if valuelist:
            self.data = clean_text(valuelist[0])

    @property
    def lines(self) -> list[str]:
        """The text of each line, without empty ones."""
        return [" ".join(line.split()) for line in (self.data or "").split("\n") if line.strip()]


class RequiredText:
    """Validator: refuses an empty field with this sentence."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: Form, field: Field) -> None:
        """Raise if nothing but white space was typed."""
        if not str(field.data or "").strip():
            raise ValidationError(self.sentence)


class MaximumLength:
    """Validator: refuses a text of more than ``most`` characters."""

    def __init__(self, most: int = LONGEST_LINE) -> None:
        self.most = most

    def __call__(self, _form: Form, field: Field) -> None:
        """Raise with the length of the text."""
        length = len(str(field.data or ""))
        if length > self.most:
            raise ValidationError(f"This has {length:,} characters. Shorten it to {self.most:,} or fewer.")


class WholeNumberField(StringField):  # type: ignore[misc]
    """A whole number from ``least`` to ``most``, typed as text; an ``optional`` one may be empty.

    Args:
        message: What to enter, shown if the text is no such number.
        if_empty: The number that an empty field means.
    """

    def __init__(
        self,
        label: str,
        *,
        message: str,
        least: int = 0,
        most: int,
        optional: bool = False,
        if_empty: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, **kwargs)
        self.message, self.least, self.most = message, least, most
        self.optional, self.if_empty = optional, if_empty

    def pre_validate(self, form: Form) -> None:
        """Raise if the text is no such number."""
        is_empty = not str(self.data or "").strip()
        if self.number is None and not (self.optional and is_empty):
            raise ValidationError(self.message)

    @property
    def number(self) -> int | None:
        """The number; None if the text is none in the range."""
        text = str(self.data or "")
        if not text.strip():
            return self.if_empty
        number = read_whole_number(text)
        return number if number is not None and self.least <= number <= self.most else None


class WholeNumbersField(StringField):  # type: ignore[misc]
    """Whole numbers of at most ``most``, separated by commas or spaces, or nothing."""

    def __init__(self, label: str, *, most: int, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.most = most

    def pre_validate(self, form: Form) -> None:
        """Raise if one of the words is no such number."""
        if None in self._read_numbers():
            raise ValidationError("Enter days as whole numbers with commas between them, such as 30, 7, 1")

    @property
    def numbers(self) -> list[int]:
        """The numbers in the order in which they were typed."""
        return [number for number in self._read_numbers() if number is not None]

    def _read_numbers(self) -> list[int | None]:
        words = re.split(r"[\s,;]+(?:and )?", str(self.data or "").strip())
        numbers = [read_whole_number(word) for word in words if word]
        return [number if number is not None and number <= self.most else None for number in numbers]


class PercentageField(StringField):  # type: ignore[misc]
    """A share of at most 100 per cent, with at most two decimal places.

    Args:
        message: What to enter, shown if the text is no such share.
        allows_zero: Whether 0 per cent is one.
    """

    def __init__(self, label: str, *, message: str, allows_zero: bool = False, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.message, self.allows_zero = message, allows_zero

    def pre_validate(self, form: Form) -> None:
        """Raise if the text is no such share."""
        if self.share is None:
            raise ValidationError(self.message)

    @property
    def share(self) -> Decimal | None:
        """The share from 0 to 1; None if the text is none."""
        text = str(self.data or "").strip().removesuffix("%").removesuffix("per cent").strip()
        if not re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,2})?", text):
            return None
        share = Decimal(text) / 100
        return share if share <= 1 and (share > 0 or self.allows_zero) else None


class DayField(StringField):  # type: ignore[misc]
    """A day as people write it; an ``optional`` one may be empty.

    Args:
        missing: What to enter, shown if a field that is not optional is empty.
    """

    def __init__(self, label: str, *, optional: bool = False, missing: str = "", **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.optional, self.missing = optional, missing

    def pre_validate(self, form: Form) -> None:
        """Raise if the text names no day."""
        is_empty = not str(self.data or "").strip()
        if is_empty and self.optional:
            return
        if is_empty and self.missing:
            raise ValidationError(self.missing)
        if self.day is None:
            raise ValidationError("Enter a date, such as 31 May 2027")

    @property
    def day(self) -> date | None:
        """The day; None if the text names none."""
        return read_day(str(self.data or ""))


class FirstDayField(DayField):
    """The first day of a version: at most five years ahead, as no later version can begin before it."""

    def pre_validate(self, form: Form) -> None:
        """Raise if it lies too far ahead."""
        super().pre_validate(form)
        if self.day is not None and self.day > today() + timedelta(days=FARTHEST_FIRST_DAY):
            raise ValidationError(
                "Enter a day of the next five years: until then no other version could take effect"
            )


class DayOfYearField(StringField):  # type: ignore[misc]
    """A day that every year has, such as 30 April, or nothing."""

    def pre_validate(self, form: Form) -> None:
        """Raise if the text names none."""
        if (self.data or "").strip() and self.month_and_day is None:
            raise ValidationError("Enter a day that every year has, such as 30 April")

    @property
    def month_and_day(self) -> str | None:
        """The day as ``MM-DD``; None if the text names none."""
        match = _DAY_AND_MONTH.fullmatch(" ".join(str(self.data or "").split()))
        if match is None:
            return None
        day = read_day(f"{match[1]} {match[2]} 2025" if match[2] else f"2025-{match[3]}-{match[4]}")
        return f"{day:%m-%d}" if day else None


class CheckboxesField(SelectMultipleField):  # type: ignore[misc]
    """Any of the values that a page offers; values that were sent beyond them are offered too."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        widget = GovCheckboxes(classes="govuk-checkboxes--small", label_classes="govuk-fieldset__legend--s")
        super().__init__(label, choices=[], validate_choice=False, **{"widget": widget, **kwargs})

    def offer_values(self, values: list[str], labels: dict[str, str] | None = None) -> None:
        """Offer these values and those that are chosen already."""
        offered = dict.fromkeys([*values, *(self.data or [])])
        self.choices = [
            SelectChoice(value=value, label=(labels or {}).get(value, value)) for value in offered
        ]

    @property
    def chosen_values(self) -> list[str]:
        """The chosen values, in the order of the page, each once."""
        chosen = dict.fromkeys(value for value in self.data or [] if value.strip())
        return [choice.value for choice in self.choices if choice.value in chosen]
