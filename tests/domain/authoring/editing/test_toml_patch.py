"""What the editor writes: the same bytes where nothing changed, else only the lines that were edited."""

import tomllib
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import ROOT
from portal.domain.authoring.editing import details, item_bank, lesson
from portal.domain.authoring.editing.toml_patch import parse_toml, rewrite_toml
from portal.domain.catalogue.sources.folder_reader import read_folder
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.formats.faults import Faults
from tests.domain.authoring.editing.comparing import bank, comments, lines_apart, within
from tests.pages.authoring.written import HANDS

many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
REAL = {
    name: read_folder(ROOT / "modules" / name, Faults())
    for name in ("recognise", "protect", "respond", "report")
}


def rewritten(files: dict[str, bytes], changes: dict) -> str:
    [(path, content)] = changes.items()
    assert path in files
    return content.decode()


@pytest.mark.slow
@many
@given(hand=HANDS)
def test_a_bank_that_says_the_same_keeps_its_bytes(hand):
    said = hand.items()
    text = hand.bank(said)

    assert parse_toml(text) == tomllib.loads(text, parse_float=Decimal) == {"item": said}
    assert [place.table for place in item_bank.read_items(bank(text))] == said
    assert all(item_bank.write_item(bank(text), table["key"], deepcopy(table)) == {} for table in said)


@many
@given(hand=HANDS)
def test_one_text_changed_changes_one_line(hand):
    said = hand.items()
    text = hand.bank(said)
    table = deepcopy(hand.one_of(*said))
    place = hand.one_of(table, *table["choice"], *table.get("scene", []))
    key = hand.one_of(*(k for k in ("prompt", "text", "feedback", "stimulus") if k in place))
    rows = place[key].split("\n")
    rows[hand.one_of(*(n for n, row in enumerate(rows) if row))] = "Something else"
    place[key] = "\n".join(rows)

    after = rewritten(bank(text), item_bank.write_item(bank(text), table["key"], table))

    assert parse_toml(after)["item"] == [table if each["key"] == table["key"] else each for each in said]
    gone, come = lines_apart(text, after)
    joined = any(row.endswith("\\") for row in gone)
    assert len(come) == 1
    assert len(gone) == 1 or joined


@many
@given(hand=HANDS, up=st.booleans())
def test_a_new_order_moves_lines_and_changes_none(hand, up):
    said = hand.items()
    text = hand.bank(said)
    order = [each["key"] for each in said]
    at = order.index(hand.one_of(*order))
    to = at - 1 if up else at + 1

    changes = item_bank.move_item(bank(text), order[at], up)

    if not 0 <= to < len(order):
        assert changes == {}
        return
    after = rewritten(bank(text), changes)
    order[at], order[to] = order[to], order[at]
    assert [each["key"] for each in parse_toml(after)["item"]] == order
    assert sorted(parse_toml(after)["item"], key=str) == sorted(said, key=str)
    assert sorted(after.split("\n")) == sorted(text.split("\n"))


@many
@given(hand=HANDS)
def test_choices_in_a_new_order_stay_whole(hand):
    said = hand.items()
    text = hand.bank(said)
    table = hand.one_of(*said)
    order = hand.random.sample(table["choice"], len(table["choice"]))

    changes = item_bank.write_item(bank(text), table["key"], table | {"choice": order})

    after = rewritten(bank(text), changes) if changes else text
    assert next(each for each in parse_toml(after)["item"] if each["key"] == table["key"])["choice"] == order
    if "[{" not in text and "[\n" not in text:
        assert sorted(after.split("\n")) == sorted(text.split("\n"))
    assert sorted(comments(after)) == sorted(comments(text))


@many
@given(hand=HANDS)
def test_what_is_taken_out_takes_only_its_lines(hand):
    said = hand.items(least=2)
    text = hand.bank(said)
    gone = hand.one_of(*said)

    after = rewritten(bank(text), item_bank.remove_item(bank(text), gone["key"]))

    assert parse_toml(after)["item"] == [each for each in said if each is not gone]
    assert within(after.removesuffix("\n"), text)


@many
@given(hand=HANDS)
def test_what_is_added_moves_no_other_line(hand):
    said = hand.items()
    text = hand.bank(said)
    new = hand.item("new")

    after = rewritten(bank(text), item_bank.add_item(bank(text), new, "items/bank.toml"))

    assert parse_toml(after)["item"] == [*said, new]
    assert within(text.removesuffix("\n"), after)


@many
@given(hand=HANDS)
def test_whatever_is_meant_is_what_is_written(hand):
    said = hand.items()
    text = hand.bank(said)
    held = {each["key"] for each in said}
    mixed = [*said, *(each for each in hand.items() if each["key"] not in held)]
    wanted = deepcopy(hand.random.sample(mixed, hand.random.randint(1, len(mixed))))
    for each in wanted:
        each["choice"] = hand.random.sample(each["choice"], hand.random.randint(1, len(each["choice"])))
        each["prompt"] = hand.one_of(hand.line(), each["prompt"])
        if hand.once_in(2):
            each.pop("stimulus", None)
        if hand.once_in(3):
            each["choice"].append({"key": "z", "text": hand.words(), "feedback": hand.line()})
        scenes = each.get("scene", []) + ([hand.scene("new")] if hand.once_in(2) else [])
        if scenes:
            each["scene"] = hand.random.sample(scenes, hand.random.randint(1, len(scenes)))

    after = rewrite_toml(text, {"item": wanted})

    assert tomllib.loads(after, parse_float=Decimal)["item"] == wanted


def module_lines(hand) -> tuple[bytes, dict]:
    text, said = hand.module("sample", ["first", "second", "third"])
    return text.encode(), said


@many
@given(hand=HANDS)
def test_details_that_say_the_same_keep_their_bytes(hand):
    content, said = module_lines(hand)

    assert tomllib.loads(content.decode(), parse_float=Decimal) == said
    held = details.read_details(content)
    assert (held.title, held.mastery_score, held.draw) == (said["title"], said["mastery_score"], 2)
    assert held.outcomes == [(each["key"], each["text"]) for each in said["outcome"]]
    assert details.write_details(content, held) == content
    assert details.write_lesson_keys(content, said["lessons"]) == content


def test_a_detail_that_was_emptied_is_empty_and_can_be_filled_again():
    content = b'title = "A"\naim = "B" # why\nowner = "C"\nreview_on = 2027-05-31\nminutes = 5\n'
    content += b'mastery_score = 0.8\n\n[[outcome]]\nkey = "see"\ntext = "See"\n\n[assessment]\ndraw = 1\n'
    held = details.read_details(content)

    emptied = details.write_details(content, replace(held, aim=""))

    assert emptied == content.replace(b'aim = "B" # why\n', b"")
    assert details.read_details(emptied) == replace(held, aim="")
    assert details.write_details(emptied, held) == content.replace(b" # why", b"")


@many
@given(hand=HANDS)
def test_one_detail_changed_changes_its_line(hand):
    content, said = module_lines(hand)
    held = details.read_details(content)
    change = hand.one_of(
        {"title": "Something else"},
        {"owner": "Training"},
        {"minutes": 99},
        {"mastery_score": Decimal("0.75")},
    ) | hand.one_of({}, {"draw": 3})
    [(name, value), *_] = change.items()

    after = details.write_details(content, replace(held, **change))

    assert details.read_details(after) == replace(held, **change)
    gone, come = lines_apart(
        content.decode(), details.write_details(content, replace(held, **{name: value})).decode()
    )
    assert (len(come), len(gone)) == (1, 1) or isinstance(said[name], str)


@many
@given(hand=HANDS)
def test_outcomes_and_lessons_in_any_order_keep_every_comment(hand):
    content, said = module_lines(hand)
    held = details.read_details(content)
    order = hand.random.sample(said["lessons"], 3)
    outcomes = hand.random.sample([*held.outcomes], 2)

    after = details.write_lesson_keys(details.write_details(content, replace(held, outcomes=outcomes)), order)

    assert details.lesson_keys(after) == order
    assert details.read_details(after) == replace(held, outcomes=outcomes)
    assert sorted(comments(after.decode())) == sorted(comments(content.decode()))


@many
@given(hand=HANDS)
def test_a_lesson_added_or_taken_out_of_the_list_changes_one_line(hand):
    content, said = module_lines(hand)
    lessons = said["lessons"]

    longer = details.write_lesson_keys(content, [*lessons, "fourth"])
    shorter = details.write_lesson_keys(content, lessons[:-1])

    assert details.lesson_keys(longer) == [*lessons, "fourth"]
    assert details.lesson_keys(shorter) == lessons[:-1]
    for after in (longer, shorter):
        gone, come = lines_apart(content.decode(), after.decode())
        assert max(len(gone), len(come)) <= 3  # the line, a comment above it, and a comma on the line before


@many
@given(hand=HANDS, outcomes=st.lists(st.sampled_from(["see", "say", "do"]), unique=True, min_size=1))
def test_a_lesson_changes_where_it_was_edited(hand, outcomes):
    front = {"title": hand.line(), "minutes": 3, "outcomes": ["see"]}
    blank, body, end = hand.one_of("", "\n", "\n\n"), hand.words(), hand.one_of("", "\n", "\n\n", "  \n")
    above = f"+++\n{hand.members(front, ())}+++\n{blank}"
    content = f"{above}{body}{end}".encode()
    held = lesson.read_lesson(content)

    assert (held.title, held.minutes, list(held.outcomes)) == (front["title"], 3, ["see"])
    sent = replace(held, body=held.body.replace("\n", "\r\n"), title=f" {held.title} ")
    assert lesson.write_lesson(content, sent) == content
    assert lesson.write_lesson(content, replace(held, body=f"\r\n{held.body.strip()}  \r\n")) == content

    after = lesson.write_lesson(content, replace(held, body=f"Before.\r\n\r\n{held.body}"))
    assert after == f"{above}Before.\n\n{body}{end}".encode()

    after = lesson.write_lesson(content, replace(held, outcomes=outcomes))
    kept = [key for key in ("see",) if key in outcomes]
    assert lesson.read_lesson(after) == replace(
        held, outcomes=kept + [key for key in outcomes if key != "see"]
    )
    assert after.endswith(f"+++\n{blank}{body}{end}".encode())


@pytest.mark.parametrize("name", REAL)
def test_a_real_module_that_is_opened_and_saved_keeps_its_bytes(name):
    files = REAL[name]

    assert (
        details.write_details(files["module.toml"], details.read_details(files["module.toml"]))
        == files["module.toml"]
    )
    for path, content in files.items():
        if path.endswith(".md"):
            assert lesson.write_lesson(content, lesson.read_lesson(content)) == content
    for place in item_bank.read_items(files):
        assert item_bank.write_item(files, place.key, place.table) == {}
        sent = {
            key: each.replace("\n", "\r\n") if isinstance(each, str) else each
            for key, each in place.table.items()
        }
        assert item_bank.write_item(files, place.key, sent) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_each_item_of_a_real_module_changes_only_its_lines(name):
    files = REAL[name]

    for place in item_bank.read_items(files):
        text = files[place.path].decode()
        table = deepcopy(place.table)
        table["prompt"] = "Something else?"
        [(path, after)] = item_bank.write_item(files, place.key, table).items()
        assert [len(rows) for rows in lines_apart(text, after.decode())] == [1, 1]
        taken = item_bank.remove_item(files, place.key)[path]
        assert taken is None or within(taken.decode().removesuffix("\n"), text)
        for up in (True, False):
            moved = item_bank.move_item(files, place.key, up)
            assert sum(len(item_bank.read_items({p: c})) for p, c in moved.items() if c) in (
                0,
                *(sum(len(item_bank.read_items({p: files[p]})) for p in moved),),
            )


def test_an_item_moves_into_the_next_file_with_its_comments():
    last = "[[item]]\nkey = 'c'\n"
    moved = "# about b\n[[item]]\nkey = 'b' # b\n"
    files = {
        "items/1.toml": f"[[item]]\nkey = 'a'\n\n{moved}".encode(),
        "items/2.toml": f"# The second file.\n\n{last}".encode(),
    }

    changes = item_bank.move_item(files, "b", up=False)

    assert changes == {
        "items/1.toml": b"[[item]]\nkey = 'a'\n",
        "items/2.toml": f"# The second file.\n\n{last}\n{moved}".encode(),
    }
    assert item_bank.move_item(files, "a", up=True) == {}
    assert item_bank.remove_item({"items/2.toml": last.encode()}, "c") == {"items/2.toml": None}


def test_a_source_stays_a_text_or_a_list_as_it_was():
    files = bank('[[item]]\nkey = "a"\nsource = "12"\n\n[[item]]\nkey = "b"\nsource = ["12"]\n')

    assert item_bank.write_item(files, "a", {"key": "a", "source": ["12"]}) == {}
    assert item_bank.write_item(files, "b", {"key": "b", "source": "12"}) == {}


def test_what_is_not_set_is_not_written():
    files = bank('[[item]]\nkey = "a"\nretired = false\n\n[[item.choice]]\nkey = "a"\ncorrect = false\n')

    assert item_bank.write_item(files, "a", {"key": "a", "stimulus": "", "choice": [{"key": "a"}]}) == {}
    after = item_bank.write_item(
        files, "a", {"key": "a", "retired": True, "choice": [{"key": "a", "correct": True}]}
    )
    assert after == bank(
        '[[item]]\nkey = "a"\nretired = true\n\n[[item.choice]]\nkey = "a"\ncorrect = true\n'
    )


def test_a_key_that_is_taken_is_refused():
    files = bank('[[item]]\nkey = "a"\n\n[[item]]\nkey = "b"\n')

    with pytest.raises(RuleError, match="There is a question “a” already"):
        item_bank.add_item(files, {"key": "a"})
    with pytest.raises(RuleError, match="There is a question “a” already"):
        item_bank.write_item(files, "b", {"key": "a"})
    with pytest.raises(NotFoundError):
        item_bank.remove_item(files, "c")
    assert item_bank.read_items(files | item_bank.write_item(files, "b", {"key": "c"}))[1].key == "c"
