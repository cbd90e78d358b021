"""Three-way merge: changes of one side are taken, changes of both conflict, and nothing is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.authoring import item_files
from portal.domain.authoring.merging import merge_file, merge_folders
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
        merge_file(*versions).hunks
        for versions in ((base, mine, base), (base, base, mine), (base, mine, mine))
    )


@many
@given(base=st.lists(LINE, min_size=2, max_size=12), data=st.data())
def test_changes_of_different_lines_are_both_kept(base, data):
    base = [f"{number} {line}" for number, line in enumerate(base)]
    my_index, their_index = data.draw(st.permutations(range(len(base))))[:2]
    mine, theirs, expected = list(base), list(base), list(base)
    mine[my_index] = expected[my_index] = "mine"
    theirs[their_index] = expected[their_index] = "theirs"

    merged = merge_file(*("\n".join(lines).encode() for lines in (base, mine, theirs)))

    assert merged.hunks == []
    assert merged.with_mine == merged.with_theirs == "\n".join(expected).encode()


@many
@given(base=TEXT, mine=TEXT, theirs=TEXT)
def test_nothing_is_lost(base, mine, theirs):
    merged = merge_file(base.encode(), mine.encode(), theirs.encode())

    base_lines = set(base.split("\n"))
    merged_lines = merged.with_mine.decode().split("\n") + merged.with_theirs.decode().split("\n")
    assert set(mine.split("\n")) | set(theirs.split("\n")) <= set(merged_lines) | base_lines
    if not merged.hunks:
        assert merged.with_mine == merged.with_theirs


@many
@given(base=TEXT, mine=TEXT, theirs=TEXT)
def test_sides_can_be_exchanged(base, mine, theirs):
    forward = merge_file(base.encode(), mine.encode(), theirs.encode())
    exchanged = merge_file(base.encode(), theirs.encode(), mine.encode())

    assert (forward.with_mine, forward.with_theirs) == (exchanged.with_theirs, exchanged.with_mine)
    assert [(h.mine, h.theirs) for h in forward.hunks] == [(h.theirs, h.mine) for h in exchanged.hunks]


def test_one_line_changed_by_both_is_a_conflict():
    merged = merge_file(b"one\ntwo\nthree\n", b"one\nmine\nthree\n", b"ONE\ntheirs\nthree\n")

    assert [(h.base, h.mine, h.theirs) for h in merged.hunks] == [
        ("one\ntwo\n", "one\nmine\n", "ONE\ntheirs\n")
    ]
    assert (merged.with_mine, merged.with_theirs) == (b"one\nmine\nthree\n", b"ONE\ntheirs\nthree\n")


def test_lines_put_in_at_one_place_by_both_are_a_conflict():
    merged = merge_file(b"one\n", b"one\nmine\n", b"one\ntheirs\n")

    assert [(h.mine, h.theirs) for h in merged.hunks] == [("mine\n", "theirs\n")]


def test_a_file_taken_out_by_one_and_changed_by_the_other_is_a_conflict():
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
    my_item, their_item = hand.item("one"), hand.item("other")
    mine, theirs = (
        item_files.add_item(base, my_item, "items/bank.toml"),
        item_files.add_item(base, their_item, "items/bank.toml"),
    )

    merged, conflicts = merge_folders(base, mine, theirs)

    assert conflicts == []
    assert [place.table for place in item_files.read_items(merged)] == [
        *(p.table for p in item_files.read_items(base)),
        my_item,
        their_item,
    ]


def test_items_of_one_key_added_by_both_are_a_conflict():
    base = {"items/bank.toml": b'[[item]]\nkey = "a"\n'}
    new_item = {"key": "new", "prompt": "Mine"}
    mine = item_files.add_item(base, new_item, "items/bank.toml")
    theirs = item_files.add_item(base, new_item | {"prompt": "Theirs"}, "items/bank.toml")

    merged, [conflict] = merge_folders(base, mine, theirs)

    assert merged == {}
    assert (conflict.with_mine, conflict.with_theirs) == (*mine.values(), *theirs.values())


def test_toml_that_could_not_be_read_after_merging_is_a_conflict_of_whole_files():
    base = b"a = 1\n\nb = 2\n\n\nc = 3\n"
    mine = b"a = 1\nd = 4\n\nb = 2\n\n\nc = 3\n"
    theirs = b"a = 1\n\nb = 2\n\n\nc = 3\nd = 5\n"

    merged, conflicts = merge_folders({"module.toml": base}, {"module.toml": mine}, {"module.toml": theirs})

    assert merged == {}
    assert [(c.with_mine, c.with_theirs) for c in conflicts] == [(mine, theirs)]
