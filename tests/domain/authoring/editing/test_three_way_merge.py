"""Merging three ways: what one side changed is kept, what both changed is asked, and nothing is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.authoring.editing import item_bank
from portal.domain.authoring.editing.three_way_merge import merge, merge_folders
from tests.examples import few_or_many
from tests.pages.authoring.written import HANDS

many = settings(max_examples=few_or_many(40, 120), deadline=None)
LINE = st.sampled_from(["a", "b", "c", "", 'key = "x"', "  indented", "same", "é"])
TEXT = st.lists(LINE, max_size=12).map("\n".join)
FILE = st.none() | TEXT.map(str.encode) | st.just(b"\x89PNG\x00") | st.just(b"\xff\xfe")


@many
@given(base=FILE, mine=FILE)
def test_what_only_one_side_changed_is_taken(base, mine):
    assert merge(base, mine, base).content == mine
    assert merge(base, base, mine).content == mine
    assert merge(base, mine, mine).content == mine
    assert not any(
        merge(*three).conflicts for three in ((base, mine, base), (base, base, mine), (base, mine, mine))
    )


@many
@given(base=st.lists(LINE, min_size=2, max_size=12), data=st.data())
def test_changes_of_different_lines_are_both_kept(base, data):
    base = [f"{number} {line}" for number, line in enumerate(base)]
    one, other = data.draw(st.permutations(range(len(base))))[:2]
    mine, theirs, both = list(base), list(base), list(base)
    mine[one] = both[one] = "mine"
    theirs[other] = both[other] = "theirs"

    merged = merge(*("\n".join(lines).encode() for lines in (base, mine, theirs)))

    assert merged.conflicts == []
    assert merged.content == merged.other == "\n".join(both).encode()


@many
@given(base=TEXT, mine=TEXT, theirs=TEXT)
def test_nothing_is_lost(base, mine, theirs):
    merged = merge(base.encode(), mine.encode(), theirs.encode())

    said = set(base.split("\n"))
    kept = merged.content.decode().split("\n") + merged.other.decode().split("\n")
    assert set(mine.split("\n")) | set(theirs.split("\n")) <= set(kept) | said
    if not merged.conflicts:
        assert merged.content == merged.other


@many
@given(base=TEXT, mine=TEXT, theirs=TEXT)
def test_sides_can_be_exchanged(base, mine, theirs):
    one = merge(base.encode(), mine.encode(), theirs.encode())
    other = merge(base.encode(), theirs.encode(), mine.encode())

    assert (one.content, one.other) == (other.other, other.content)
    assert [(h.mine, h.theirs) for h in one.conflicts] == [(h.theirs, h.mine) for h in other.conflicts]


def test_one_line_changed_by_both_is_asked():
    merged = merge(b"one\ntwo\nthree\n", b"one\nmine\nthree\n", b"ONE\ntheirs\nthree\n")

    assert [(h.base, h.mine, h.theirs) for h in merged.conflicts] == [
        ("one\ntwo\n", "one\nmine\n", "ONE\ntheirs\n")
    ]
    assert (merged.content, merged.other) == (b"one\nmine\nthree\n", b"ONE\ntheirs\nthree\n")


def test_lines_put_in_at_one_place_by_both_are_asked():
    merged = merge(b"one\n", b"one\nmine\n", b"one\ntheirs\n")

    assert [(h.mine, h.theirs) for h in merged.conflicts] == [("mine\n", "theirs\n")]


def test_a_file_taken_out_by_one_and_changed_by_the_other_is_asked():
    assert merge(b"one\n", None, b"two\n").conflicts
    assert merge(b"one\n", b"two\n", None).conflicts
    assert not merge(b"one\n", None, b"one\n").conflicts
    assert merge(None, b"mine\n", b"theirs\n").conflicts


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
    mine, theirs = item_bank.add(base, one, "items/bank.toml"), item_bank.add(base, other, "items/bank.toml")

    merged, conflicts = merge_folders(base, mine, theirs)

    assert conflicts == []
    assert [place.table for place in item_bank.read(merged)] == [
        *(p.table for p in item_bank.read(base)),
        one,
        other,
    ]


def test_items_of_one_key_added_by_both_are_asked():
    base = {"items/bank.toml": b'[[item]]\nkey = "a"\n'}
    added = {"key": "new", "prompt": "Mine"}
    mine = item_bank.add(base, added, "items/bank.toml")
    theirs = item_bank.add(base, added | {"prompt": "Theirs"}, "items/bank.toml")

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
