"""Questions and self-checks as their common editor works on them: where each is kept, how it is written."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import url_for

from portal.domain.authoring import content_types, item_files, preview, queries
from portal.domain.authoring import files as authoring_files
from portal.domain.authoring.files import LessonFields
from portal.domain.authoring.media import list_pictures
from portal.domain.authoring.preview import ItemPreview, Table, preview_check, preview_item
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue import version_cache
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import ItemKind
from portal.pages.authoring.item_forms import CheckForm, ItemForm, NewItemForm, QuestionForm, form_data_of
from portal.pages.authoring.views import draft_context, texts
from portal.platform.errors import NotFoundError, require

Changes = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class EditedPage:
    """The words and addresses of the pages of a question or check."""

    place: str  # as in ``Presence``
    fragment_place: str  # in requests for the parts that change as the author types
    name: str  # for authors
    caption: str  # above its name
    address: str  # of its editor
    remove_address: str
    preview_address: str
    parent_text: str  # of the page above it
    parent_address: str
    text_address: str  # where it is edited as text


@dataclass(frozen=True)
class EditedTable(ABC):
    """A question or a self-check of a draft; a new one has no key and its kind alone as table."""

    noun: ClassVar[str]
    added_words: ClassVar[str]  # where a new one was added

    state: DraftState
    files: dict[str, bytes]
    table: Table  # as saved
    number: int  # counts from 1; 0: new
    total: int

    @property
    def key(self) -> str:
        """Its key in its file."""
        return str(self.table.get("key", ""))

    @property
    def kind(self) -> ItemKind:
        """Its kind."""
        return require_kind(str(self.table.get("kind", "")))

    @property
    def module(self) -> content_types.ModuleDetails:
        """The details of its module."""
        return content_types.read_details(self.files[draft_context.MODULE_FILE])

    @property
    def form_values(self) -> dict[str, Any]:
        """What its form is opened with."""
        return {**form_data_of(self.table), "expected": preview.table_digest(self.table)}

    @property
    def after_adding(self) -> str:
        """The address of the page to show once it is added."""
        return self.page.address

    @property
    @abstractmethod
    def page(self) -> EditedPage:
        """The words and addresses of its pages."""

    @property
    @abstractmethod
    def path(self) -> str:
        """The file that it is in."""

    @abstractmethod
    def make_form(self, **kwargs: Any) -> QuestionForm:
        """Its form; ``data`` fills it."""

    @abstractmethod
    def table_in(self, content: bytes) -> Table | None:
        """Its table in a version of its file; None where that has none."""

    @abstractmethod
    def write_in(self, content: bytes, table: Table) -> bytes:
        """A version of its file with another table."""

    @abstractmethod
    def add(self, form: QuestionForm, values: Table) -> tuple[str, Changes]:
        """The key of a new one and the files with it; no changes where an equal one exists already."""

    @abstractmethod
    def preview(self, table: Table) -> ItemPreview:
        """How a learner sees it with these values."""

    @abstractmethod
    def reopen(self, key: str) -> "EditedTable":
        """It as it is saved now, under this key; a new one again where the key is empty."""


class EditedItem(EditedTable):
    """One question of the assessment."""

    noun = "question"
    added_words = "added"

    @property
    def page(self) -> EditedPage:
        """The words and addresses of its pages."""
        key, item = self.state.key, self.key or "_new"
        number = f"Question {self.number} of {self.total} · " if self.number else ""
        return EditedPage(
            place=f"item:{self.key}",
            fragment_place=f"item:{item}" if self.key else f"new-item:{self.kind.name}",
            name=preview.item_name(item) if self.key else "New question",
            caption=f"{number}{self.kind.label}",
            address=url_for(".edit_item", key=key, item=item),
            remove_address=url_for(".remove_item", key=key, item=item),
            preview_address=url_for(".preview_item", key=key, item=item),
            parent_text=draft_context.breadcrumb_text(self.state, self.module.title),
            parent_address=url_for(".show_module", key=key, _anchor="questions"),
            text_address=url_for(".edit_item_text", key=key, item=item),
        )

    @property
    def path(self) -> str:
        """The file that it is in."""
        return item_files.find_item(self.files, self.key).path

    def make_form(self, **kwargs: Any) -> QuestionForm:
        """Its form; a new one asks for a name as well."""
        kind = ItemForm if self.key else NewItemForm
        sources = {
            source.number: f"{source.number}, {source.title}"
            for source in version_cache.list_sources()
            if source.testable
        }
        return kind(self.module.outcomes, sources, list_pictures(self.files), **kwargs)

    def table_in(self, content: bytes) -> Table | None:
        """Its table in a version of its file."""
        places = item_files.read_items({item_files.FIRST_FILE: content})
        return next((place.table for place in places if place.key == self.key), None)

    def write_in(self, content: bytes, table: Table) -> bytes:
        """A version of its file with another table."""
        file = {item_files.FIRST_FILE: content}
        return (file | item_files.write_item(file, self.key, table))[item_files.FIRST_FILE] or content

    def add(self, form: QuestionForm, values: Table) -> tuple[str, Changes]:
        """The key of a new question and the files with it."""
        tables = {place.key: place.table for place in item_files.read_items(self.files)}
        equal = (key for key, table in tables.items() if table == {"key": key, **values})
        if equal_key := next(equal, None):  # as after a second click
            return equal_key, {}
        key = texts.unused_key(str(form["name"].data), tables, self.noun)
        path = preview.file_for_new_item(self.files, str(values["outcome"]))
        return key, item_files.add_item(self.files, preview.new_table(key, values), path)

    def preview(self, table: Table) -> ItemPreview:
        """How a learner sees it with these values."""
        return preview_item(self.state, table)

    def reopen(self, key: str) -> "EditedTable":
        """It as it is saved now."""
        state = queries.get_draft(self.state.key)
        return open_item(state, key) if key else start_item(state, self.kind.name)


@dataclass(frozen=True)
class EditedCheck(EditedTable):
    """One self-check of a lesson."""

    noun = "check"
    added_words = "added at the end of the lesson. You can move its two lines"

    lesson_name: str
    lesson_title: str

    @property
    def after_adding(self) -> str:
        """The lesson, in which the check may be moved."""
        return self.page.parent_address

    @property
    def page(self) -> EditedPage:
        """The words and addresses of its pages; its place is the lesson's, because both are one file."""
        address: dict[str, Any] = {"key": self.state.key, "name": self.lesson_name}
        check = self.key or "_new"
        return EditedPage(
            place=f"lesson:{self.lesson_name}",
            fragment_place=f"check:{self.lesson_name}/{check}"
            if self.key
            else f"new-check:{self.lesson_name}/{self.kind.name}",
            name=self._name,
            caption=self.kind.label,
            address=url_for(".edit_check", **address, check=check),
            remove_address=url_for(".remove_check", **address, check=check),
            preview_address=url_for(".preview_lesson", **address),
            parent_text=self.lesson_title or "The lesson",
            parent_address=url_for(".edit_lesson", **address, _anchor="checks"),
            text_address=url_for(".edit_lesson", **(address | {"as": "text"})),
        )

    @property
    def _name(self) -> str:
        if not self.key:
            return "New check"
        number = f" {self.number}" if self.total > 1 else ""
        return f"Check{number} of “{self.lesson_title}”"

    @property
    def path(self) -> str:
        """The file that it is in."""
        return lesson_path(self.lesson_name)

    def make_form(self, **kwargs: Any) -> QuestionForm:
        """Its form."""
        return CheckForm(list_pictures(self.files), **kwargs)

    def table_in(self, content: bytes) -> Table | None:
        """Its table in a version of the lesson."""
        checks = authoring_files.read_checks(authoring_files.read_lesson(content).body)
        return next((check.table for check in checks if check.key == self.key), None)

    def write_in(self, content: bytes, table: Table) -> bytes:
        """A version of the lesson with another table."""
        body = authoring_files.read_lesson(content).body
        return authoring_files.write_body(content, authoring_files.write_check(body, self.key, table))

    def add(self, form: QuestionForm, values: Table) -> tuple[str, Changes]:
        """The key of a new check and the lesson with it."""
        content = self.files[self.path]
        body = authoring_files.read_lesson(content).body
        checks = authoring_files.read_checks(body)
        equal = (check.key for check in checks if check.table == {"key": check.key, **values})
        if equal_key := next(equal, None):  # as after a second click
            return equal_key, {}
        key = authoring_files.free_key(body)
        new_body = authoring_files.add_check(body, preview.new_table(key, values))
        return key, {self.path: authoring_files.write_body(content, new_body)}

    def preview(self, table: Table) -> ItemPreview:
        """How a learner sees it with these values."""
        return preview_check(self.state, table)

    def reopen(self, key: str) -> "EditedTable":
        """It as it is saved now."""
        state, name = queries.get_draft(self.state.key), self.lesson_name
        return open_check(state, name, key) if key else start_check(state, name, self.kind.name)


def lesson_path(name: str) -> str:
    """The path of a lesson's file."""
    return f"lessons/{name}.md"


def open_item(state: DraftState, key: str) -> EditedItem:
    """A question of the draft."""
    files = queries.draft_files(state)
    places = item_files.read_items(files)
    number = next((n for n, place in enumerate(places, 1) if place.key == key), None)
    if number is None:
        raise NotFoundError(f"This draft has no question “{key}”.")
    table = places[number - 1].table
    require_kind(str(table.get("kind", "")))
    return EditedItem(state, files, table, number, len(places))


def start_item(state: DraftState, kind_name: str) -> EditedItem:
    """A new question of this kind, not saved yet."""
    files = queries.draft_files(state)
    return EditedItem(
        state, files, {"kind": require_kind(kind_name).name}, 0, len(item_files.read_items(files))
    )


def open_check(state: DraftState, lesson_name: str, key: str) -> EditedCheck:
    """A self-check of a lesson."""
    files, fields = _read_lesson(state, lesson_name)
    check = authoring_files.find_check(fields.body, key)
    require_kind(str(check.table.get("kind", "")))
    keys = [each.key for each in authoring_files.read_checks(fields.body)]
    place = (keys.index(key) + 1, len(keys))
    return EditedCheck(state, files, check.table, *place, lesson_name, fields.title)


def start_check(state: DraftState, lesson_name: str, kind_name: str) -> EditedCheck:
    """A new self-check of this kind, not saved yet."""
    files, fields = _read_lesson(state, lesson_name)
    kind = require_kind(kind_name)
    if not kind.usable_as_check:
        raise NotFoundError(f"A check cannot be of the kind “{kind.label}”.")
    total = len(authoring_files.read_checks(fields.body))
    return EditedCheck(state, files, {"kind": kind.name}, 0, total, lesson_name, fields.title)


def _read_lesson(state: DraftState, name: str) -> tuple[dict[str, bytes], LessonFields]:
    files = queries.draft_files(state)
    if (
        name not in content_types.lesson_keys(files[draft_context.MODULE_FILE])
        or lesson_path(name) not in files
    ):
        raise NotFoundError(f"This draft has no lesson “{name}”.")
    return files, authoring_files.read_lesson(files[lesson_path(name)])


def require_kind(name: str) -> ItemKind:
    """The kind with this name."""
    return require(kinds_by_name().get(name), f"“{name}” is not a kind of question.")
