"""The editor keeps the bytes of a file where nothing changed, and otherwise writes the one form of TOML."""

import tomllib
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import ROOT
from portal.domain.authoring import content_types, item_files
from portal.domain.authoring import files as authoring_files
from portal.domain.authoring.texts import rewrite_toml
from portal.domain.catalogue.source_files import read_folder
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.formats.toml_tables import Faults
from portal.platform.formats.toml_writer import format_toml, parse_toml
from tests.examples import few_or_many, sweep_after
from tests.pages.authoring.written import HANDS

many = settings(max_examples=few_or_many(40, 100))
REAL = {
    name: read_folder(ROOT / "modules" / name, Faults())
    for name in ("recognise", "protect", "respond", "report")
}
OTHERS = [name for name in REAL if name != "report"]


def bank_files(text: str) -> dict[str, bytes]:
    return {"items/bank.toml": text.encode()}


def rewritten_text(files: dict[str, bytes], changes: dict) -> str:
    [(path, content)] = changes.items()
    assert path in files
    return content.decode()


@pytest.mark.slow
@many
@given(hand=HANDS)
def test_a_bank_that_says_the_same_keeps_its_bytes(hand):
    items = hand.items()
    text = hand.bank(items)

    assert parse_toml(text) == tomllib.loads(text, parse_float=Decimal) == {"item": items}
    assert [place.table for place in item_files.read_items(bank_files(text))] == items
    assert all(
        item_files.write_item(bank_files(text), table["key"], deepcopy(table)) == {} for table in items
    )


@many
@given(hand=HANDS, up=st.booleans())
def test_questions_are_changed_moved_added_and_removed_and_the_others_say_what_they_said(hand, up):
    items = hand.items(least=2)
    files = bank_files(hand.bank(items))
    place = hand.random.randrange(len(items))
    key, target = items[place]["key"], place - 1 if up else place + 1
    changed = deepcopy(items[place]) | {"prompt": "Something else"}
    swapped = list(items)
    if 0 <= target < len(items):
        swapped[place], swapped[target] = swapped[target], swapped[place]
    expected = {
        "changed": [*items[:place], changed, *items[place + 1 :]],
        "moved": swapped,
        "added": [*items, new_item := hand.item("new")],
        "removed": [*items[:place], *items[place + 1 :]],
    }

    changes = {
        "changed": item_files.write_item(files, key, changed),
        "moved": item_files.move_item(files, key, up),
        "added": item_files.add_item(files, new_item, "items/bank.toml"),
        "removed": item_files.remove_item(files, key),
    }

    for name, items_after in expected.items():
        if changes[name]:
            after = rewritten_text(files, changes[name])
            assert parse_toml(after) == {"item": items_after}, name
            assert format_toml(parse_toml(after)) == after, name
        else:
            assert items_after == items, name


def test_a_bank_in_the_one_form_changes_in_the_lines_that_were_edited():
    for path, content in REAL["report"].items():
        if not path.startswith("items/"):
            continue
        for place in item_files.read_items({path: content})[::5]:
            table = place.table | {"prompt": "Something else?"}
            after = rewritten_text({path: content}, item_files.write_item({path: content}, place.key, table))
            lines = set(after.split("\n")) ^ set(content.decode().split("\n"))
            assert [line for line in lines if not line.startswith("prompt = ")] == []


def test_an_item_moves_into_the_next_file():
    files = {
        "items/1.toml": b'[[item]]\nkey = "a"\n\n[[item]]\nkey = "b"\n',
        "items/2.toml": b'[[item]]\nkey = "c"\n',
    }

    assert item_files.move_item(files, "b", up=False) == {
        "items/1.toml": b'[[item]]\nkey = "a"\n',
        "items/2.toml": b'[[item]]\nkey = "c"\n\n[[item]]\nkey = "b"\n',
    }
    assert item_files.move_item(files, "a", up=True) == {}
    assert item_files.remove_item({"items/2.toml": files["items/2.toml"]}, "c") == {"items/2.toml": None}


def test_a_detail_that_was_emptied_is_empty_and_can_be_filled_again():
    content = b'title = "A"\naim = "B"\nowner = "C"\nreview_on = 2027-05-31\nminutes = 5\n'
    content += b'mastery_score = 0.8\n\n[[outcome]]\nkey = "see"\ntext = "See"\n\n[assessment]\ndraw = 1\n'
    module_details = content_types.read_details(content)

    emptied = content_types.write_details(content, replace(module_details, aim=""))

    assert emptied == content.replace(b'aim = "B"\n', b"")
    assert content_types.read_details(emptied) == replace(module_details, aim="")
    assert content_types.write_details(emptied, module_details) == content


@many
@given(hand=HANDS)
def test_details_lessons_and_outcomes_are_written_as_they_were_entered(hand):
    content, document = module_lines(hand)
    before = content_types.read_details(content)
    order = hand.random.sample(document["lessons"], hand.random.randint(1, 3))
    details = replace(
        before,
        outcomes=hand.random.sample([*before.outcomes], 2),
        **hand.one_of(
            {"title": "Something else"}, {"minutes": 99}, {"mastery_score": Decimal("0.75")}, {"draw": 3}
        ),
    )

    after = content_types.write_lesson_keys(content_types.write_details(content, details), order)

    assert content_types.lesson_keys(after) == order
    assert content_types.read_details(after) == details
    assert after == content or after.decode() == format_toml(parse_toml(after.decode()))


@many
@given(hand=HANDS)
def test_the_intended_data_is_written(hand):
    items = hand.items()
    text = hand.bank(items)
    keys = {item["key"] for item in items}
    mixed = [*items, *(item for item in hand.items() if item["key"] not in keys)]
    expected = deepcopy(hand.random.sample(mixed, hand.random.randint(1, len(mixed))))
    for item in expected:
        item["choice"] = hand.random.sample(item["choice"], hand.random.randint(1, len(item["choice"])))
        item["prompt"] = hand.one_of(hand.line(), item["prompt"])
        if hand.once_in(2):
            item.pop("stimulus", None)
        if hand.once_in(3):
            item["choice"].append({"key": "z", "text": hand.words(), "feedback": hand.line()})
        scenes = item.get("scene", []) + ([hand.scene("new")] if hand.once_in(2) else [])
        if scenes:
            item["scene"] = hand.random.sample(scenes, hand.random.randint(1, len(scenes)))

    after = rewrite_toml(text, {"item": expected})

    assert tomllib.loads(after, parse_float=Decimal)["item"] == expected


def module_lines(hand) -> tuple[bytes, dict]:
    text, document = hand.module("sample", ["first", "second", "third"])
    return text.encode(), document


@many
@given(hand=HANDS)
def test_details_that_say_the_same_keep_their_bytes(hand):
    content, document = module_lines(hand)

    assert tomllib.loads(content.decode(), parse_float=Decimal) == document
    module_details = content_types.read_details(content)
    assert (module_details.title, module_details.mastery_score, module_details.draw) == (
        document["title"],
        document["mastery_score"],
        2,
    )
    assert module_details.outcomes == [(outcome["key"], outcome["text"]) for outcome in document["outcome"]]
    assert content_types.write_details(content, module_details) == content
    assert content_types.write_lesson_keys(content, document["lessons"]) == content


@many
@given(hand=HANDS, outcomes=st.lists(st.sampled_from(["see", "say", "do"]), unique=True, min_size=1))
def test_a_lesson_changes_where_it_was_edited(hand, outcomes):
    front = {"title": hand.line(), "minutes": 3, "outcomes": ["see"]}
    blank, body, end = hand.one_of("", "\n", "\n\n"), hand.words(), hand.one_of("", "\n", "\n\n", "  \n")
    above = f"+++\n{hand.members(front, ())}+++\n{blank}"
    content = f"{above}{body}{end}".encode()
    fields = authoring_files.read_lesson(content)

    assert (fields.title, fields.minutes, list(fields.outcomes)) == (front["title"], 3, ["see"])
    sent = replace(fields, body=fields.body.replace("\n", "\r\n"), title=f" {fields.title} ")
    assert authoring_files.write_lesson(content, sent) == content
    assert (
        authoring_files.write_lesson(content, replace(fields, body=f"\r\n{fields.body.strip()}  \r\n"))
        == content
    )

    after = authoring_files.write_lesson(content, replace(fields, body=f"Before.\r\n\r\n{fields.body}"))
    assert after == f"{above}Before.\n\n{body}{end}".encode()

    after = authoring_files.write_lesson(content, replace(fields, outcomes=outcomes))
    kept_outcomes = [key for key in ("see",) if key in outcomes]
    assert authoring_files.read_lesson(after) == replace(
        fields, outcomes=kept_outcomes + [key for key in outcomes if key != "see"]
    )
    assert after.endswith(f"+++\n{blank}{body}{end}".encode())


@pytest.mark.parametrize("name", sweep_after(1, "report", *OTHERS))
def test_a_real_module_that_is_opened_and_saved_keeps_its_bytes(name):
    files = REAL[name]

    assert (
        content_types.write_details(files["module.toml"], content_types.read_details(files["module.toml"]))
        == files["module.toml"]
    )
    for path, content in files.items():
        if path.endswith(".md"):
            assert authoring_files.write_lesson(content, authoring_files.read_lesson(content)) == content
    for place in item_files.read_items(files):
        assert item_files.write_item(files, place.key, place.table) == {}
        sent = {
            key: value.replace("\n", "\r\n") if isinstance(value, str) else value
            for key, value in place.table.items()
        }
        assert item_files.write_item(files, place.key, sent) == {}


def test_a_source_stays_a_text_or_a_list_as_it_was():
    files = bank_files('[[item]]\nkey = "a"\nsource = "12"\n\n[[item]]\nkey = "b"\nsource = ["12"]\n')

    assert item_files.write_item(files, "a", {"key": "a", "source": ["12"]}) == {}
    assert item_files.write_item(files, "b", {"key": "b", "source": "12"}) == {}


def test_what_is_not_set_is_not_written():
    files = bank_files(
        '[[item]]\nkey = "a"\nretired = false\n\n[[item.choice]]\nkey = "a"\ncorrect = false\n'
    )

    assert item_files.write_item(files, "a", {"key": "a", "stimulus": "", "choice": [{"key": "a"}]}) == {}
    after = item_files.write_item(
        files, "a", {"key": "a", "retired": True, "choice": [{"key": "a", "correct": True}]}
    )
    assert after == bank_files(
        '[[item]]\nkey = "a"\nretired = true\n\n[[item.choice]]\nkey = "a"\ncorrect = true\n'
    )


def test_a_key_that_is_taken_is_refused():
    files = bank_files('[[item]]\nkey = "a"\n\n[[item]]\nkey = "b"\n')

    with pytest.raises(RuleError, match="There is a question “a” already"):
        item_files.add_item(files, {"key": "a"})
    with pytest.raises(RuleError, match="There is a question “a” already"):
        item_files.write_item(files, "b", {"key": "a"})
    with pytest.raises(NotFoundError):
        item_files.remove_item(files, "c")
    assert item_files.read_items(files | item_files.write_item(files, "b", {"key": "c"}))[1].key == "c"
