"""The questions on a draft's page: their rows, searched by words, outcome, lesson and state."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring import content_types, item_files
from portal.domain.authoring import files as authoring_files
from portal.domain.authoring.content_diff import humanise_key, texts_within
from portal.domain.authoring.findings import Finding
from portal.domain.authoring.item_files import ItemPlace, question_titles
from portal.domain.authoring.queries import ActiveEditor
from portal.domain.item_kinds import kinds_by_name
from portal.pages.authoring.forms import QuestionFilterForm
from portal.pages.layout.query_arguments import QueryArguments, address

LONGEST_TITLE = 140
LONGEST_CHOICE = 60  # in a list to choose from


@dataclass(frozen=True, slots=True)
class QuestionFilter:
    """What an address asks for; empty values ask for nothing."""

    words: str = ""
    outcome: str = ""
    lesson: str = ""
    state: str = ""


def read_filter(query: QueryArguments, form: QuestionFilterForm) -> QuestionFilter:
    """Read the filter of an address; ``query`` notes what is refused."""
    chosen = {
        field.name: query.choice(field.name, [choice.value for choice in field.choices])
        for field in form.lists
    }
    return QuestionFilter(query.text("words"), **chosen)


def list_questions(
    files: Mapping[str, bytes], module: content_types.ModuleDetails, editors: Sequence[ActiveEditor]
) -> list[dict[str, Any]]:
    """A row for each question, in order."""
    places = item_files.read_items(files)
    tables = [place.table for place in places]
    titles, choices = question_titles(tables, LONGEST_TITLE), question_titles(tables, LONGEST_CHOICE)
    outcomes, kinds = dict(module.outcomes), kinds_by_name()
    editors_by_place = {editor.place: editor for editor in editors}
    return [
        {
            "number": number,
            "place": place,
            "key": place.key,
            "title": titles[number - 1],
            "short_title": f"{number}. {choices[number - 1]}",
            "kind": kinds[kind].label if (kind := str(place.table.get("kind"))) in kinds else kind,
            "outcome": outcomes.get(str(place.table.get("outcome")), "no outcome"),
            "retired": place.table.get("retired") is True,
            "may_move_up": number > 1,
            "may_move_down": number < len(places),
            "editor": editors_by_place.get(f"item:{place.key}"),
        }
        for number, place in enumerate(places, 1)
    ]


def narrow_questions(
    rows: list[dict[str, Any]],
    wanted: QuestionFilter,
    files: Mapping[str, bytes],
    findings: Sequence[Finding],
) -> list[dict[str, Any]]:
    """The rows that a filter asks for."""
    words = wanted.words.casefold().split()
    outcomes = _outcomes_of_lesson(files, wanted.lesson) if wanted.lesson else None
    levels = {(finding.place, finding.blocks_publishing) for finding in findings}
    return [
        row
        for row in rows
        if (not wanted.state or wanted.state in _states_of(row, levels))
        and (not wanted.outcome or row["place"].table.get("outcome") == wanted.outcome)
        and (outcomes is None or row["place"].table.get("outcome") in outcomes)
        and (not words or _has_words(row["place"], words))
    ]


def _states_of(row: dict[str, Any], levels: Collection[tuple[str, bool]]) -> set[str]:
    """The states of a question that a search can ask for; see ``QUESTION_STATES``."""
    place = f"item:{row['key']}"
    states = {"retired" if row["retired"] else "in-use"}
    states |= {"put-right"} if (place, True) in levels else set()
    return states | ({"consider"} if (place, False) in levels else set())


def _has_words(place: ItemPlace, words: list[str]) -> bool:
    text = " ".join([*texts_within(place.table), humanise_key(place.key)]).casefold()
    return all(word in text for word in words)


def _outcomes_of_lesson(files: Mapping[str, bytes], name: str) -> Collection[str]:
    path = authoring_files.lesson_path(files, name)
    return authoring_files.read_lesson_file(path, files[path]).outcomes if path in files else ()


def list_chips(query: QueryArguments, form: QuestionFilterForm, path: str) -> list[tuple[str, str]]:
    """The filters in force, each with the address without it."""
    labels = {field.name: {choice.value: choice.label for choice in field.choices} for field in form.lists}
    return [
        (f"“{value}”" if name == "words" else labels[name][value], _address_without(query, name, path))
        for name, value in query.kept
        if value.strip() and (name == "words" or name in labels)
    ]


def _address_without(query: QueryArguments, name: str, path: str) -> str:
    return f"{address(path, [pair for pair in query.kept if pair[0] != name])}#questions"
