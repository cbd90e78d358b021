"""What the editor writes: the same bytes where nothing changed, else only the lines that were edited."""

import re
import tomllib
from copy import deepcopy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import ROOT
from portal.authoring.editing import items
from portal.authoring.editing.rewriting import parsed, rewrite
from portal.catalogue.reading import read_folder
from portal.formats.faults import Faults
from tests.authoring.written import HANDS

many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
REAL = {
    name: read_folder(ROOT / "modules" / name, Faults())
    for name in ("recognise", "protect", "respond", "report")
}


def lines_apart(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines of each that are left between the first and the last that differ."""
    one, other = old.split("\n"), new.split("\n")
    while one and other and one[0] == other[0]:
        del one[0], other[0]
    while one and other and one[-1] == other[-1]:
        del one[-1], other[-1]
    return one, other


def within(part: str, whole: str) -> bool:
    """Whether the lines of ``part`` stand in ``whole`` in the same order."""
    rest = iter(whole.split("\n"))
    return all(line in rest for line in part.split("\n"))


def comments(text: str) -> list[str]:
    """Every comment, as far as it ends a line that it begins or stands behind two blanks."""
    return [found for line in text.split("\n") for found in re.findall(r"(?:^ *|  )(#[^\"]*)$", line)]


def bank(text: str) -> dict[str, bytes]:
    return {"items/bank.toml": text.encode()}


def rewritten(files: dict[str, bytes], changes: dict) -> str:
    [(path, content)] = changes.items()
    assert path in files
    return content.decode()


@many
@given(hand=HANDS)
def test_a_bank_that_says_the_same_keeps_its_bytes(hand):
    said = hand.items()
    text = hand.bank(said)

    assert tomllib.loads(text) == {"item": said}
    assert [place.table for place in items.read(bank(text))] == said
    assert all(items.write(bank(text), table["key"], deepcopy(table)) == {} for table in said)


@many
@given(hand=HANDS)
def test_one_text_changed_changes_one_line(hand):
    said = hand.items()
    text = hand.bank(said)
    table = deepcopy(hand.one_of(*said))
    place = hand.one_of(table, *table["choice"])
    key = hand.one_of(*(k for k in ("prompt", "text", "feedback", "stimulus") if k in place))
    rows = place[key].split("\n")
    rows[hand.one_of(*(n for n, row in enumerate(rows) if row))] = "Something else"
    place[key] = "\n".join(rows)

    after = rewritten(bank(text), items.write(bank(text), table["key"], table))

    assert parsed(after)["item"] == [table if each["key"] == table["key"] else each for each in said]
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

    changes = items.move(bank(text), order[at], up)

    if not 0 <= to < len(order):
        assert changes == {}
        return
    after = rewritten(bank(text), changes)
    order[at], order[to] = order[to], order[at]
    assert [each["key"] for each in parsed(after)["item"]] == order
    assert sorted(parsed(after)["item"], key=str) == sorted(said, key=str)
    assert sorted(after.split("\n")) == sorted(text.split("\n"))


@many
@given(hand=HANDS)
def test_choices_in_a_new_order_stay_whole(hand):
    said = hand.items()
    text = hand.bank(said)
    table = hand.one_of(*said)
    order = hand.random.sample(table["choice"], len(table["choice"]))

    changes = items.write(bank(text), table["key"], table | {"choice": order})

    after = rewritten(bank(text), changes) if changes else text
    assert next(each for each in parsed(after)["item"] if each["key"] == table["key"])["choice"] == order
    if "[{" not in text and "[\n" not in text:
        assert sorted(after.split("\n")) == sorted(text.split("\n"))
    assert sorted(comments(after)) == sorted(comments(text))


@many
@given(hand=HANDS)
def test_what_is_taken_out_takes_only_its_lines(hand):
    said = hand.items(least=2)
    text = hand.bank(said)
    gone = hand.one_of(*said)

    after = rewritten(bank(text), items.remove(bank(text), gone["key"]))

    assert parsed(after)["item"] == [each for each in said if each is not gone]
    assert within(after.removesuffix("\n"), text)


@many
@given(hand=HANDS)
def test_what_is_added_moves_no_other_line(hand):
    said = hand.items()
    text = hand.bank(said)
    new = hand.item("new")

    after = rewritten(bank(text), items.add(bank(text), new, "items/bank.toml"))

    assert parsed(after)["item"] == [*said, new]
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

    after = rewrite(text, {"item": wanted})

    assert tomllib.loads(after)["item"] == wanted
