"""Merging three ways: what one side changed is kept, what both changed is asked, and nothing is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.authoring.editing import item_bank
from portal.domain.authoring.editing.three_way_merge import merge_file, merge_folders
from tests.examples import few_or_many
from tests.pages.authoring.written import HANDS

many = settings(max_examples=few_or_many(40, 120), deadline=None)
LINE = st.sampled_from(["a", "b", "c", "", 'key = "x"', "  indented", "same", "é"])
TEXT = st.lists(LINE, max_size=12).map("\n".join)
FILE = st.none() | TEXT.map(str.encode) | st.just(b"\x89PNG\x00") | st.just(b"\xff\xfe")


@many
@given(base=FILE, mine=FILE)
def test_what_only_one_side_changed_is_taken(base, mine):
    assert merge_file(base, mine, base).with_mine == mine
    assert merge_file(base, base, mine).with_mine == mine
    assert merge_file(base, mine, mine).with_mine == mine
    assert not any(
        merge_file(*three).hunks for three in ((base, mine, base), (base, base, mine), (base, mine, mine))
    )


@many
@given(base=st.lists(LINE, min_size=2, max_size=12), data=st.data())
def test_changes_of_different_lines_are_both_kept(base, data):
    base = [f"{number} {line}" for number, line in enumerate(base)]
    one, other = data.draw(st.permutations(range(len(base))))[:2]
    mine, theirs, both = list(base), list(base), list(base)
    mine[one] = both[one] = "mine"
    theirs[other] = both[other] = "theirs"

    merged = merge_file(*("\n".join(lines).encode() for lines in (base, mine, theirs)))

    assert merged.hunks == []
    assert merged.with_mine == merged.with_theirs == "\n".join(both).encode()


@many
@given(base=TEXT, mine=TEXT, theirs=TEXT)
def test_nothing_is_lost(base, mine, theirs):
    merged = merge_file(base.encode(), mine.encode(), theirs.encode())

    said = set(base.split("\n"))
    kept = merged.with_mine.decode().split("\n") + merged.with_theirs.decode().split("\n")
    assert set(mine.split("\n")) | set(theirs.split("\n")) <= set(kept) | said
    if not merged.hunks:
        assert merged.with_mine == merged.with_theirs


@many
@given(base=TEXT, mine=TEXT, theirs=TEXT)
def test_sides_can_be_exchanged(base, mine, theirs):
    one = merge_file(base.encode(), mine.encode(), theirs.encode())
    other = merge_file(base.encode(), theirs.encode(), mine.encode())

    assert (one.with_mine, one.with_theirs) == (other.with_theirs, other.with_mine)
    assert [(h.mine, h.theirs) for h in one.hunks] == [(h.theirs, h.mine) for h in other.hunks]


def test_one_line_changed_by_both_is_asked():
    merged = merge_file(b"one\ntwo\nthree\n", b"one\nmine\nthree\n", b"ONE\ntheirs\nthree\n")

    assert [(h.base, h.mine, h.theirs) for h in merged.hunks] == [
        ("one\ntwo\n", "one\nmine\n", "ONE\ntheirs\n")
    ]
    assert (merged.with_mine, merged.with_theirs) == (b"one\nmine\nthree\n", b"ONE\ntheirs\nthree\n")


def test_lines_put_in_at_one_place_by_both_are_asked():
    merged = merge_file(b"one\n", b"one\nmine\n", b"one\ntheirs\n")

    assert [(h.mine, h.theirs) for h in merged.hunks] == [("mine\n", "theirs\n")]


def test_a_file_taken_out_by_one_and_changed_by_the_other_is_asked():
    assert merge_file(b"one\n", None, b"two\n").hunks
    assert merge_file(b"one\n", b"two\n", None).hunks
    assert not merge_file(b"one\n", None, b"one\n").hunks
    assert merge_file(None, b"mine\n", b"theirs\n").hunks


def test_folders_merge_file_by_file():
    base = {"a": b"1\n", "b": b"1\n", "c": b"1\n"}
    mine = {"a": b"2\n", "b": b"2\n", "new": b"n\n", "c": b"1\n"}
    theirs = {"a": b"1\n", "b": b"3\n", "other": b"o\n"}

    merged, conflicts = merge_folders(base, mine, theirs)

    assert merged == {"a": b"2\n", "c": None, "new": b"n\n", "other": b"o\n"}
    assert [(c.path, c.mine, c.theirs) for c in conflicts] == [("b", b"2\n", b"3\n")]


@many
@given(hand=HANDS)
def test_items_added_by_both_are_both_kept(hand):
    base = {"items/bank.toml": hand.bank(hand.items()).encode()}
    one, other = hand.item("one"), hand.item("other")
    mine, theirs = (
        item_bank.add_item(base, one, "items/bank.toml"),
        item_bank.add_item(base, other, "items/bank.toml"),
    )

    merged, conflicts = merge_folders(base, mine, theirs)

    assert conflicts == []
    assert [place.table for place in item_bank.read_items(merged)] == [
        *(p.table for p in item_bank.read_items(base)),
        one,
        other,
    ]


def test_items_of_one_key_added_by_both_are_asked():
    base = {"items/bank.toml": b'[[item]]\nkey = "a"\n'}
    added = {"key": "new", "prompt": "Mine"}
    mine = item_bank.add_item(base, added, "items/bank.toml")
    theirs = item_bank.add_item(base, added | {"prompt": "Theirs"}, "items/bank.toml")

    merged, [conflict] = merge_folders(base, mine, theirs)

    assert merged == {}
    assert (conflict.with_mine, conflict.with_theirs) == (*mine.values(), *theirs.values())


def test_toml_that_could_not_be_read_after_merging_is_asked_as_a_whole():
    base = b"a = 1\n\nb = 2\n\n\nc = 3\n"
    mine = b"a = 1\nd = 4\n\nb = 2\n\n\nc = 3\n"
    theirs = b"a = 1\n\nb = 2\n\n\nc = 3\nd = 5\n"

    merged, conflicts = merge_folders({"module.toml": base}, {"module.toml": mine}, {"module.toml": theirs})

    assert merged == {}
    assert [(c.with_mine, c.with_theirs) for c in conflicts] == [(mine, theirs)]
