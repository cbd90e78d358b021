"""Finding people by what somebody types."""

from sqlalchemy import ColumnElement, func, or_

from portal.people.models import PersonName


def named(text: str) -> list[ColumnElement[bool]]:
    """That every word of ``text`` stands in a person's names or staff number, in any case of letters."""
    columns = (PersonName.surname, PersonName.forenames, PersonName.staff_number)
    return [
        or_(*(func.lower(column).contains(word, autoescape=True) for column in columns))
        for word in text.lower().replace(",", " ").split()
    ]
