"""Three-way merge: what one side changed is taken, and what both changed is asked and taken as chosen."""

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.authoring import item_files
from portal.domain.authoring.merging import merge_cleanly, merge_folders, merge_parts
from tests.examples import few_or_many
from tests.pages.authoring.written import HANDS

many = settings(max_examples=few_or_many(40, 120), deadline=None)
PARTS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3))
CONTENT = st.none() | st.sampled_from([b"a = 1\n", b"a = 2\n", b"not toml", b"\xff\xfe"])
BANK = "items/bank.toml"


def page(title: str, text: str) -> bytes:
    return f'+++\ntitle = "{title}"\n+++\n\n{text}\n'.encode()


@many
@given(base=PARTS, mine=PARTS, theirs=PARTS)
def test_each_part_is_that_of_the_side_that_changed_it(base, mine, theirs):
    merged, clashing = merge_parts(base, mine, theirs)

    for name in "abcd":
        was, my_value, their_value = (side.get(name) for side in (base, mine, theirs))
        assert (name in clashing) == (my_value != their_value and was not in (my_value, their_value))
        assert merged.get(name) == (their_value if my_value == was else my_value)
    assert merge_parts(base, theirs, mine)[1] == clashing or set(merge_parts(base, theirs, mine)[1]) == set(
        clashing
    )


@many
@given(
    path=st.sampled_from(["module.toml", BANK, "lessons/a.md", "media/a.svg"]), base=CONTENT, other=CONTENT
)
def test_a_file_that_one_side_changed_keeps_the_bytes_of_that_side(path, base, other):
    folders = [{} if content is None else {path: content} for content in (base, other)]

    for mine, theirs in ((folders[0], folders[1]), (folders[1], folders[0]), (folders[1], folders[1])):
        merged, conflicts = merge_folders(folders[0], mine, theirs)
        assert (merged.get(path), conflicts) == (other, [])


def test_a_file_that_one_removed_or_that_cannot_be_read_is_asked_as_a_whole():
    for base, mine, theirs in (
        (b"a = 1\n", None, b"a = 2\n"),
        (b"a = 1\n", b"a = 2\n", None),
        (b"a = 1\n", b"a = 2\n", b"not toml"),
        (None, b"\xff", b"a = 2\n"),
        (b'item = [{ key = "a" }]', b"item = 3", b"item = [4]"),
        (b'item = [{ key = "a" }]', b'item = [{ key = "a" }, { key = "a" }]', b"item = [{ key = [] }]"),
    ):
        path = BANK if b"item" in (base or b"") else "module.toml"
        folders = [{} if content is None else {path: content} for content in (base, mine, theirs)]
        _, [conflict] = merge_folders(*folders)
        assert (conflict.name, conflict.mine, conflict.theirs) == (path, mine, theirs)
        for keeps_mine, kept in ((True, mine), (False, theirs)):
            assert merge_folders(*folders, {conflict.name: keeps_mine}) == ({path: kept}, [])


def test_title_and_text_of_a_page_are_two_parts():
    base, mine = page("Look", "One."), page("See", "One.")

    assert merge_cleanly("lessons/a.md", base, mine, page("Look", "Two.")) == page("See", "Two.")
    assert merge_cleanly("lessons/a.md", base, mine, page("Watch", "Two.")) is None
    assert merge_cleanly("lessons/a.md", base, mine, None) is None


def test_a_check_is_a_part_of_its_own_beside_the_text_around_it():
    check = '::: check\nkey = "try"\nprompt = "{}"\n:::'
    base, mine, theirs = (
        page("Look", text)
        for text in (
            f"One.\n\n{check.format('A')}",
            f"One.\n\n{check.format('B')}",
            f"Two.\n\n{check.format('A')}",
        )
    )

    merged = page("Look", f"Two.\n\n{check.format('B')}")
    assert merge_cleanly("lessons/a.md", base, mine, theirs) == merged
    assert merge_cleanly("lessons/a.md", base, theirs, mine) == merged
    gone = {"lessons/a.md": page("Look", "One.")}
    folders = {"lessons/a.md": base}, {"lessons/a.md": theirs}, gone
    _, [conflict] = merge_folders(*folders)
    assert merge_folders(*folders, {conflict.name: True}) == (folders[1], [])
    assert merge_folders(*folders, {conflict.name: False}) == (gone, [])


def test_what_both_changed_is_as_chosen_and_the_rest_is_merged():
    base, mine, theirs = (
        {"module.toml": f'title = "{title}"\nminutes = {minutes}\n'.encode()}
        for title, minutes in (("A", 1), ("B", 2), ("C", 1))
    )

    merged, [conflict] = merge_folders(base, mine, theirs)

    assert (conflict.part, conflict.mine, conflict.theirs) == ("title", "B", "C")
    for keeps_mine, title in ((True, "B"), (False, "C")):
        merged, conflicts = merge_folders(base, mine, theirs, {conflict.name: keeps_mine})
        assert (merged, conflicts) == ({"module.toml": f'title = "{title}"\nminutes = 2\n'.encode()}, [])


def test_folders_merge_file_by_file():
    base = {"media/a": b"1", "media/b": b"1", "media/c": b"1"}
    mine = {"media/a": b"2", "media/b": b"2", "media/new": b"n", "media/c": b"1"}
    theirs = {"media/a": b"1", "media/b": b"3", "media/other": b"o"}

    merged, conflicts = merge_folders(base, mine, theirs)

    del merged["media/b"]
    assert merged == {"media/a": b"2", "media/c": None, "media/new": b"n", "media/other": b"o"}
    assert [(c.path, c.mine, c.theirs) for c in conflicts] == [("media/b", b"2", b"3")]


@many
@given(hand=HANDS)
def test_questions_that_either_added_changed_or_removed_are_all_in_the_merged_bank(hand):
    items = hand.items(least=3)
    base = {BANK: hand.bank(items).encode()}
    my_item, their_item = hand.item("one"), hand.item("other")
    mine = item_files.add_item(base, my_item, BANK)
    mine |= item_files.write_item(mine, items[0]["key"], items[0] | {"prompt": "Mine"})
    theirs = item_files.add_item(base, their_item, BANK)
    theirs |= item_files.remove_item(theirs, items[1]["key"])

    merged, conflicts = merge_folders(base, mine, theirs)

    assert conflicts == []
    tables = {place.key: place.table for place in item_files.read_items(merged)}
    assert tables == {
        items[0]["key"]: items[0] | {"prompt": "Mine"},
        **{item["key"]: item for item in items[2:]},
        "one": my_item,
        "other": their_item,
    }


def test_the_order_of_questions_is_that_of_the_side_that_moved_them():
    base, moved = (
        {BANK: "".join(f'[[item]]\nkey = "{key}"\n\n' for key in order).encode()} for order in ("abc", "cab")
    )
    added = item_files.add_item(base, {"key": "d"}, BANK)

    for mine, theirs in ((moved, added), (added, moved)):
        merged, conflicts = merge_folders(base, mine, theirs)
        assert ([place.key for place in item_files.read_items(merged)], conflicts) == (list("cabd"), [])


def test_a_question_that_both_changed_is_asked_as_a_whole():
    base = {BANK: b'[[item]]\nkey = "a"\nprompt = "A"\nsource = "1"\n'}
    mine = item_files.write_item(base, "a", {"key": "a", "prompt": "B", "source": "1"})
    theirs = item_files.write_item(base, "a", {"key": "a", "prompt": "A", "source": "2"})

    _, [conflict] = merge_folders(base, mine, theirs)

    assert (conflict.name, conflict.mine["prompt"], conflict.theirs["source"]) == (
        f"{BANK} question a",
        "B",
        "2",
    )
    assert merge_folders(base, mine, theirs, {conflict.name: False}) == (theirs, [])
