"""The editor keeps the bytes of a file where nothing changed, and otherwise changes only the edited lines."""

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
from portal.domain.authoring.toml_patch import parse_toml, rewrite_toml
from portal.domain.catalogue.source_files import read_folder
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.formats.toml_tables import Faults
from tests.domain.authoring.editing.comparing import (
    bank_files,
    comments,
    differing_lines,
    is_line_subsequence,
)
from tests.examples import few_or_many, sweep_after
from tests.pages.authoring.written import HANDS

many = settings(max_examples=few_or_many(40, 100))
REAL = {
    name: read_folder(ROOT / "modules" / name, Faults())
    for name in ("recognise", "protect", "respond", "report")
}
OTHERS = [name for name in REAL if name != "report"]


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
@given(hand=HANDS)
def test_one_text_changed_changes_one_line(hand):
    items = hand.items()
    text = hand.bank(items)
    table = deepcopy(hand.one_of(*items))
    place = hand.one_of(table, *table["choice"], *table.get("scene", []))
    key = hand.one_of(*(k for k in ("prompt", "text", "feedback", "stimulus") if k in place))
    rows = place[key].split("\n")
    rows[hand.one_of(*(n for n, row in enumerate(rows) if row))] = "Something else"
    place[key] = "\n".join(rows)

    after = rewritten_text(bank_files(text), item_files.write_item(bank_files(text), table["key"], table))

    assert parse_toml(after)["item"] == [table if item["key"] == table["key"] else item for item in items]
    old_lines, new_lines = differing_lines(text, after)
    joined = any(row.endswith("\\") for row in old_lines)
    assert len(new_lines) == 1
    assert len(old_lines) == 1 or joined


@many
@given(hand=HANDS, up=st.booleans())
def test_a_new_order_moves_lines_and_changes_none(hand, up):
    items = hand.items()
    text = hand.bank(items)
    order = [item["key"] for item in items]
    index = order.index(hand.one_of(*order))
    target = index - 1 if up else index + 1

    changes = item_files.move_item(bank_files(text), order[index], up)

    if not 0 <= target < len(order):
        assert changes == {}
        return
    after = rewritten_text(bank_files(text), changes)
    order[index], order[target] = order[target], order[index]
    assert [item["key"] for item in parse_toml(after)["item"]] == order
    assert sorted(parse_toml(after)["item"], key=str) == sorted(items, key=str)
    assert sorted(after.split("\n")) == sorted(text.split("\n"))


@many
@given(hand=HANDS)
def test_choices_in_a_new_order_stay_whole(hand):
    items = hand.items()
    text = hand.bank(items)
    table = hand.one_of(*items)
    order = hand.random.sample(table["choice"], len(table["choice"]))

    changes = item_files.write_item(bank_files(text), table["key"], table | {"choice": order})

    after = rewritten_text(bank_files(text), changes) if changes else text
    assert next(item for item in parse_toml(after)["item"] if item["key"] == table["key"])["choice"] == order
    if "[{" not in text and "[\n" not in text:
        assert sorted(after.split("\n")) == sorted(text.split("\n"))
    assert sorted(comments(after)) == sorted(comments(text))


@many
@given(hand=HANDS)
def test_a_removed_item_removes_only_its_lines(hand):
    items = hand.items(least=2)
    text = hand.bank(items)
    removed = hand.one_of(*items)

    after = rewritten_text(bank_files(text), item_files.remove_item(bank_files(text), removed["key"]))

    assert parse_toml(after)["item"] == [item for item in items if item is not removed]
    assert is_line_subsequence(after.removesuffix("\n"), text)


@many
@given(hand=HANDS)
def test_an_added_item_moves_no_other_line(hand):
    items = hand.items()
    text = hand.bank(items)
    new_item = hand.item("new")

    after = rewritten_text(
        bank_files(text), item_files.add_item(bank_files(text), new_item, "items/bank.toml")
    )

    assert parse_toml(after)["item"] == [*items, new_item]
    assert is_line_subsequence(text.removesuffix("\n"), after)


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


def test_a_detail_that_was_emptied_is_empty_and_can_be_filled_again():
    content = b'title = "A"\naim = "B" # why\nowner = "C"\nreview_on = 2027-05-31\nminutes = 5\n'
    content += b'mastery_score = 0.8\n\n[[outcome]]\nkey = "see"\ntext = "See"\n\n[assessment]\ndraw = 1\n'
    module_details = content_types.read_details(content)

    emptied = content_types.write_details(content, replace(module_details, aim=""))

    assert emptied == content.replace(b'aim = "B" # why\n', b"")
    assert content_types.read_details(emptied) == replace(module_details, aim="")
    assert content_types.write_details(emptied, module_details) == content.replace(b" # why", b"")


@many
@given(hand=HANDS)
def test_one_detail_changed_changes_its_line(hand):
    content, document = module_lines(hand)
    module_details = content_types.read_details(content)
    change = hand.one_of(
        {"title": "Something else"},
        {"owner": "Training"},
        {"minutes": 99},
        {"mastery_score": Decimal("0.75")},
    ) | hand.one_of({}, {"draw": 3})
    [(name, value), *_] = change.items()

    after = content_types.write_details(content, replace(module_details, **change))

    assert content_types.read_details(after) == replace(module_details, **change)
    old_lines, new_lines = differing_lines(
        content.decode(),
        content_types.write_details(content, replace(module_details, **{name: value})).decode(),
    )
    assert (len(new_lines), len(old_lines)) == (1, 1) or isinstance(document[name], str)


@many
@given(hand=HANDS)
def test_outcomes_and_lessons_in_any_order_keep_every_comment(hand):
    content, document = module_lines(hand)
    module_details = content_types.read_details(content)
    order = hand.random.sample(document["lessons"], 3)
    outcomes = hand.random.sample([*module_details.outcomes], 2)

    after = content_types.write_lesson_keys(
        content_types.write_details(content, replace(module_details, outcomes=outcomes)), order
    )

    assert content_types.lesson_keys(after) == order
    assert content_types.read_details(after) == replace(module_details, outcomes=outcomes)
    assert sorted(comments(after.decode())) == sorted(comments(content.decode()))


@many
@given(hand=HANDS)
def test_a_lesson_added_or_taken_out_of_the_list_changes_one_line(hand):
    content, document = module_lines(hand)
    lessons = document["lessons"]

    longer = content_types.write_lesson_keys(content, [*lessons, "fourth"])
    shorter = content_types.write_lesson_keys(content, lessons[:-1])

    assert content_types.lesson_keys(longer) == [*lessons, "fourth"]
    assert content_types.lesson_keys(shorter) == lessons[:-1]
    for after in (longer, shorter):
        old_lines, new_lines = differing_lines(content.decode(), after.decode())
        assert (
            max(len(old_lines), len(new_lines)) <= 3
        )  # the line, a comment above it, and a comma on the line before


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


@pytest.mark.slow
@pytest.mark.parametrize("name", sweep_after(1, "report", *OTHERS))
def test_each_item_of_a_real_module_changes_only_its_lines(name):
    files = REAL[name]

    for place in item_files.read_items(files)[:: few_or_many(3, 1)]:
        text = files[place.path].decode()
        table = deepcopy(place.table)
        table["prompt"] = "Something else?"
        [(path, after)] = item_files.write_item(files, place.key, table).items()
        assert [len(rows) for rows in differing_lines(text, after.decode())] == [1, 1]
        remainder = item_files.remove_item(files, place.key)[path]
        assert remainder is None or is_line_subsequence(remainder.decode().removesuffix("\n"), text)
        for up in (True, False):
            moved = item_files.move_item(files, place.key, up)
            assert sum(len(item_files.read_items({p: c})) for p, c in moved.items() if c) in (
                0,
                *(sum(len(item_files.read_items({p: files[p]})) for p in moved),),
            )


def test_an_item_moves_into_the_next_file_with_its_comments():
    last = "[[item]]\nkey = 'c'\n"
    moved = "# about b\n[[item]]\nkey = 'b' # b\n"
    files = {
        "items/1.toml": f"[[item]]\nkey = 'a'\n\n{moved}".encode(),
        "items/2.toml": f"# The second file.\n\n{last}".encode(),
    }

    changes = item_files.move_item(files, "b", up=False)

    assert changes == {
        "items/1.toml": b"[[item]]\nkey = 'a'\n",
        "items/2.toml": f"# The second file.\n\n{last}\n{moved}".encode(),
    }
    assert item_files.move_item(files, "a", up=True) == {}
    assert item_files.remove_item({"items/2.toml": last.encode()}, "c") == {"items/2.toml": None}


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
