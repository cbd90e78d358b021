"""The typesetter's markup of door sheets and name cards. Pure; every text is quoted in it."""

from collections.abc import Sequence

from portal.domain.events.register.queries import RegisterPerson
from portal.platform.documents.markup import text_content

_CARD = """block(height: 54mm, width: 100%, inset: 8mm, stroke: 0.5pt + rgb("#b1b4b6"), breakable: false)[
  #text(size: 22pt, weight: "bold")[{name}]
  #parbreak()
  #text(size: 12pt)[{below}]
  #v(1fr)
  #text(size: 14pt, weight: "bold")[{group}]
]"""


def door_sheet_markup(people: Sequence[RegisterPerson]) -> str:
    """A page for the door of each syndicate with its people, large enough to read in passing."""
    pages = [_sheet_of(number, members) for number, members in _by_syndicate(people)]
    return "\n#pagebreak()\n".join(pages) or text_content("Nobody has a place at this event yet.")


def name_card_markup(people: Sequence[RegisterPerson]) -> str:
    """Cards of eight to a page, to cut out: name, rank, unit and syndicate, by syndicate."""
    if not people:
        return text_content("Nobody has a place at this event yet.")
    cards = ",\n".join(
        _CARD.format(
            name=text_content(_spoken_name(person)),
            below=text_content(", ".join(filter(None, (person.rank, person.unit)))),
            group=text_content(_group_name(person.syndicate)),
        )
        for _, members in _by_syndicate(people)
        for person in members
    )
    return f"#grid(columns: (1fr, 1fr), gutter: 4mm,\n{cards}\n)"


def _sheet_of(number: int | None, members: Sequence[RegisterPerson]) -> str:
    names = "\n".join(
        f"- {text_content(', '.join(filter(None, (_spoken_name(person), person.rank))))}"
        for person in members
    )
    return (
        f"== #text(size: 40pt)[{text_content(_group_name(number))}]\n#v(8mm)\n#text(size: 20pt)[\n{names}\n]"
    )


def _by_syndicate(people: Sequence[RegisterPerson]) -> list[tuple[int | None, list[RegisterPerson]]]:
    """The members of each syndicate by surname; who is in none, last."""
    groups: dict[int | None, list[RegisterPerson]] = {}
    for person in sorted(people, key=lambda person: (person.surname, person.forenames)):
        groups.setdefault(person.syndicate, []).append(person)
    return sorted(groups.items(), key=lambda pair: (pair[0] is None, pair[0] or 0))


def _group_name(number: int | None) -> str:
    return f"Syndicate {number}" if number else "In no syndicate yet"


def _spoken_name(person: RegisterPerson) -> str:
    return f"{person.forenames} {person.surname}".strip() or person.name
