"""A kind is a folder of rules and one of pages: a seventh works everywhere, and touches nothing else."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

import portal.domain.item_kinds
import portal.pages.layout.item_kinds
from portal.domain.assessment.models import Response, Submission
from portal.domain.catalogue import services
from portal.domain.item_kinds import kinds_by_name
from portal.pages.layout.item_kinds import editor_of_kind
from portal.platform.db import db, stamp, transaction
from tests.domain.catalogue.folders import write
from tests.domain.catalogue.kinds_written import HEAD
from tests.pages.assessment.published import first_question
from tests.pages.authoring import desk
from tests.pages.learning.working import attempt_base, learner

CODE = '''"""A number to be typed: near enough is right."""

from dataclasses import dataclass
from decimal import Decimal

from portal.domain.item_kinds.base import FULL_MARK, NO_MARK, Answer, AnswerError, ItemKind


@dataclass(frozen=True)
class NumberText:
    number: int


class NumberKind(ItemKind):
    name = "number"
    label = "A number"
    advice = "For what has to be known by heart."
    position = 7

    def read_content(self, table, key, prefix):
        return NumberText(table.number("number", least=1))

    def render_content(self, written, renderer):
        return {"number": written.number}

    def shufflable_keys(self, content):
        return []

    def mark_answer(self, content, choices):
        return FULL_MARK if list(choices) == self.best_choices(content) else NO_MARK

    def best_choices(self, content):
        return [str(content["number"])]

    def random_choices(self, content, chance):
        return [str(chance.randint(1, 1000))]

    def read_answer(self, content, order, form):
        typed = form.get("number", [""])[0]
        if not typed.isdigit():
            raise AnswerError(("Enter a number", "number"), typed=Answer((typed,)))
        return Answer((typed,))

    def is_complete(self, content, choices):
        return bool(choices)

    def build_view(self, content, order, answer):
        return {"typed": "".join(answer.choices), "right": content["number"]}

    def summarise_answer(self, content, order, answer):
        return list(answer.choices)


KIND = NumberKind()
'''
EDITOR = '''"""The editor of numbers."""

from wtforms import Form

from portal.pages.layout.item_kinds.fields import ItemEditor, line_field


class NumberForm(Form):
    number = line_field("The right number", "Write the right number")


EDITOR = ItemEditor(
    NumberForm,
    lambda item: {"number": str(item.get("number", ""))},
    lambda data: {"number": int(data["number"])},
)
'''
ITEM_HTML = """<h1><label for="number">{{ prompt }}</label></h1>
{% if errors.number %}<p>{{ errors.number }}</p>{% endif %}
<input id="number" name="number" value="{{ shown.typed }}">
"""
ANSWER_HTML = "<p>You typed {{ shown.typed }}.{% if shows_key %} Right is {{ shown.right }}.{% endif %}</p>\n"
EDITOR_HTML = "{{ form.number() }}\n"


@pytest.fixture
def number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The kind in two folders of its own, outside the portal's source."""
    files = {
        "rules/number/__init__.py": CODE,
        "pages/number/item.html": ITEM_HTML,
        "pages/number/answer.html": ANSWER_HTML,
        "pages/number/editor.html": EDITOR_HTML,
    }
    files["pages/number/__init__.py"] = EDITOR
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for package, folder in ((portal.domain.item_kinds, "rules"), (portal.pages.layout.item_kinds, "pages")):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / folder)])
    kinds_by_name.cache_clear()
    yield
    kinds_by_name.cache_clear()
    editor_of_kind.cache_clear()
    for package in ("portal.domain.item_kinds", "portal.pages.layout.item_kinds"):
        for name in [name for name in sys.modules if name.startswith(f"{package}.number")]:
            del sys.modules[name]


def bank(*numbers: str) -> dict[str, str | bytes | None]:
    keys = (("one", "see"), ("two", "say"))
    heads = [HEAD.format(key=key, outcome=outcome, kind="number") for key, outcome in keys]
    return {
        "sample/items/bank.toml": "\n".join(f"{h}number = {n}\n" for h, n in zip(heads, numbers, strict=True))
    }


def publish(folder: Path) -> None:
    write(folder, bank("999", "101"))
    with transaction():
        services.publish_folder(folder, at=stamp())


def test_it_is_offered_last(number):
    assert list(kinds_by_name())[-1] == "number"


def test_its_own_check_refuses_at_the_line(number, tmp_path):
    found = services.check_folder(write(tmp_path / "all", bank('"many"', "1"))).faults.sentences()

    assert found == ["sample/items/bank.toml, line 8: “number” needs a whole number, 1 or more."]


def test_it_is_asked_marked_and_read_back(number, client, tmp_path):
    publish(tmp_path / "all")
    learner(client)
    page = first_question(client)

    page = client.press(page, "Save and continue", number="many")
    assert page.links["Enter a number"] == "#number"
    assert 'value="many"' in page.html
    for _ in range(2):
        page = client.press(page, "Save and continue", number="999")
    assert page.h1 == "Check your answers"
    assert page.text.count("999") == 2
    page = client.press(page, "Submit answers")

    assert page.h1 == "You did not pass"
    assert sorted(db.session.scalars(select(Submission)).one().marks.values()) == ["0.0000", "1.0000"]
    assert [r.choices for r in db.session.scalars(select(Response))] == [["999"]] * 2
    page = client.page(f"{attempt_base(page)}/answers")
    assert page.text.count("You typed 999.") == 2
    assert "Right is" not in page.text


def test_it_is_written_at_the_desk(number, app, client, tmp_path):
    publish(tmp_path / "all")
    desk.make_person_with("D3001", "author")
    author = desk.signed_in_client(app, "D3001")
    desk.open_draft_page(author)

    assert "A number" in author.page("/authoring/sample/items/_new").text
    page = author.page("/authoring/sample/items/one")
    assert 'value="999"' in page.html
    wrong = author.press(page, "Save the question", status=400, number="")
    assert wrong.links["Write the right number"] == "#number"
    page = author.press(page, "Save the question", **{"number": "42", "source-0": "1"})
    assert 'value="42"' in page.html
    assert 'id="seen-number"' in page.html  # the preview beside it
