"""Fields of the desk's forms: texts as a file can hold them, numbers and days read generously."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from wtforms import Field, Form, SelectMultipleField, StringField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice

from portal.domain.directives.toml_reader import MOST_DAYS
from portal.pages.layout.form_widgets import GovCheckboxes
from portal.platform.clock import read_day, today

FARTHEST = 5 * 365  # days ahead
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff]")  # nobody can see or miss these
_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c]")
_MONTHS = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? ([a-z]{3,9})|(\d{2})-(\d{2})", re.IGNORECASE)


class Line(StringField):  # type: ignore[misc]
    """One line of text, without white space around it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed, line ends and runs of spaces folded."""
        if valuelist:
            self.data = _UNSEEN.sub("", " ".join(valuelist[0].split()))


class Text(TextAreaField):  # type: ignore[misc]
    """Several lines, ended by LF alone."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed, its line ends made one kind."""
        if valuelist:
            self.data = _UNSEEN.sub("", _BREAKS.sub("\n", valuelist[0]))

    @property
    def lines(self) -> list[str]:
        """What stands in each line, empty ones left out."""
        return [" ".join(line.split()) for line in (self.data or "").split("\n") if line.strip()]


class Needed:
    """Refuse an empty field, and one too long, with a sentence."""

    def __init__(self, sentence: str, most: int = 200) -> None:
        self.sentence, self.most = sentence, most

    def __call__(self, _form: Form, field: Field) -> None:
        """Raise where nothing but white space was typed, or more than there is room for."""
        text = str(field.data or "").strip()
        if not text:
            raise ValidationError(self.sentence)
        if len(text) > self.most:
            raise ValidationError(f"This has {len(text):,} characters. Shorten it to {self.most:,} or fewer.")


class Number(StringField):  # type: ignore[misc]
    """A whole number, or empty."""

    def __init__(
        self, label: str, *, said: str, least: int = 0, most: int = MOST_DAYS, **kwargs: Any
    ) -> None:
        super().__init__(label, **kwargs)
        self.said, self.least, self.most = said, least, most

    def pre_validate(self, form: Form) -> None:
        """Raise where the text is no such number."""
        if (self.data or "").strip() and self.number is None:
            raise ValidationError(self.said)

    @property
    def number(self) -> int | None:
        """The number, None where there is none in the range."""
        found = whole(str(self.data or ""))
        return found if found is not None and self.least <= found <= self.most else None


def whole(text: str) -> int | None:
    """The whole number that the text is."""
    text = text.strip().replace(",", "")
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


class Numbers(StringField):  # type: ignore[misc]
    """Whole numbers of days, with commas or spaces between them, or empty."""

    def pre_validate(self, form: Form) -> None:
        """Raise where something else stands among them."""
        if None in self._read():
            raise ValidationError("Enter days as whole numbers with commas between them, such as 30, 7, 1")

    @property
    def numbers(self) -> list[int]:
        """The numbers in the order in which they were typed."""
        return [number for number in self._read() if number is not None]

    def _read(self) -> list[int | None]:
        words = re.split(r"[\s,;]+(?:and )?", str(self.data or "").strip())
        found = [whole(word) for word in words if word]
        return [n if n is not None and n <= MOST_DAYS else None for n in found]


class Share(StringField):  # type: ignore[misc]
    """A share from 0 to 100 per cent, with at most two places."""

    def pre_validate(self, form: Form) -> None:
        """Raise where the text is no such share."""
        if self.share is None:
            raise ValidationError("Enter the target as a number from 0 to 100, such as 95")

    @property
    def share(self) -> Decimal | None:
        """The share from 0 to 1, None where the text is none."""
        text = str(self.data or "").strip().removesuffix("%").removesuffix("per cent").strip()
        if not re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,2})?", text):
            return None
        share = Decimal(text) / 100
        return share if share <= 1 else None


class Day(StringField):  # type: ignore[misc]
    """A day as people write it; may be empty unless ``needed`` says in a sentence what is missing."""

    def __init__(self, label: str, *, needed: str = "", **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.needed = needed

    def pre_validate(self, form: Form) -> None:
        """Raise where the text names no day."""
        if not (self.data or "").strip():
            if self.needed:
                raise ValidationError(self.needed)
        elif self.day is None:
            raise ValidationError("Enter a date such as 30 April 2027")

    @property
    def day(self) -> date | None:
        """The day, None where the text names none."""
        return read_day(str(self.data or ""))


class FirstDay(Day):
    """A day from which a version holds. No later version can begin before it, so a far one is a trap."""

    def pre_validate(self, form: Form) -> None:
        """Raise where it lies too far ahead."""
        super().pre_validate(form)
        if self.day is not None and self.day > today() + timedelta(days=FARTHEST):
            raise ValidationError(
                "Enter a day of the next five years: until then no other version could take effect"
            )


class DayOfYear(StringField):  # type: ignore[misc]
    """A day that every year has, such as 30 April, or empty."""

    def pre_validate(self, form: Form) -> None:
        """Raise where the text is none."""
        if (self.data or "").strip() and self.month_and_day is None:
            raise ValidationError("Enter a day that every year has, such as 30 April")

    @property
    def month_and_day(self) -> str | None:
        """The day as ``MM-DD``."""
        text = " ".join(str(self.data or "").split())
        found = _MONTHS.fullmatch(text)
        day = None
        if found and found[2]:
            day = read_day(f"{found[1]} {found[2]} 2025")
        elif found:
            day = read_day(f"2025-{found[3]}-{found[4]}")
        return f"{day:%m-%d}" if day else None


class Boxes(SelectMultipleField):  # type: ignore[misc]
    """Any of a list that a page offers; what was sent beyond it is offered too."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        widget = GovCheckboxes(classes="govuk-checkboxes--small", label_classes="govuk-fieldset__legend--s")
        super().__init__(label, choices=[], validate_choice=False, **{"widget": widget, **kwargs})

    def offer(self, values: list[str], labels: dict[str, str] | None = None) -> None:
        """Offer these and what is chosen already."""
        every = dict.fromkeys([*values, *(self.data or [])])
        self.choices = [SelectChoice(value=v, label=(labels or {}).get(v, v)) for v in every]

    @property
    def chosen(self) -> list[str]:
        """What is chosen, in the order of the page, each once."""
        picked = dict.fromkeys(value for value in self.data or [] if value.strip())
        offered = [choice.value for choice in self.choices]
        return [value for value in offered if value in picked]
