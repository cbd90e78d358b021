"""Valid files with an unusual layout are changed in place, or at least to the intended values."""

from time import process_time

import pytest

from portal.domain.authoring import item_files
from portal.domain.authoring.toml_patch import parse_toml, rewrite_toml
from tests.domain.authoring.editing.comparing import bank_files, differing_lines, is_line_subsequence


def test_tables_written_apart_are_changed_in_place():
    text = """[[outcome]]
key = "a" # first
text = "A"

[assessment]
draw = 1

# second
[[outcome]]
key = "b"
text = "B"
"""
    document = parse_toml(text)
    first, second = document["outcome"]

    changed = rewrite_toml(text, document | {"outcome": [first, second | {"text": "C"}]})
    reordered = rewrite_toml(text, document | {"outcome": [second, first]})
    fewer = rewrite_toml(text, document | {"outcome": [second]})
    more = rewrite_toml(text, document | {"outcome": [first, {"key": "c"}, second]})

    assert differing_lines(text, changed) == (['text = "B"'], ['text = "C"'])
    assert parse_toml(reordered)["outcome"] == [second, first]
    assert sorted(reordered.split("\n")) == sorted(text.split("\n"))
    assert fewer == text.partition("\n\n")[2]
    assert [outcome["key"] for outcome in parse_toml(more)["outcome"]] == ["a", "c", "b"]
    assert is_line_subsequence(text, more)


UNUSUAL = [
    '[[item]]\nkey = "a"\n[other]\nx = 1\n[[item.choice]]\nkey = "b"\n[[item]]\nkey = "c"\n',
    'item = [{ key = "a", "b.c" = 1, d.e = "x" }, { key = "c", d = { e = [ 1, 2 ] } }]\nother.x = 1\n',
    '[[item]]\nkey = "a"\nd.e.f = "x"\n  [item.d.g]\n  h = 1\n[[item]]\nkey = "c"\n[item.d]\n[other.x]\n',
    "[other]\nx = 1979-05-27 07:32:00Z\n[[item]]\n'key' = 'a'\n[[item]]\nkey = 'c'\nn = [1e3, -0.0, 0xff]\n",
]


@pytest.mark.parametrize("text", UNUSUAL)
def test_an_unusual_layout_gets_the_intended_values(text):
    document = parse_toml(text)
    first, last = document["item"]
    for expected in (
        document | {"item": [last, first]},
        document | {"item": [first]},
        document | {"item": [last | {"new": {"a": 1}}, first | {"key": "z", "list": [{"x": "y"}]}]},
        document | {"item": [first | {"d": {"e": "z"}}, last]},
        {"item": [first, last]},
        document | {"other": {"x": "y", "deep": {"er": [1, 2]}}},
    ):
        assert parse_toml(rewrite_toml(text, expected)) == expected


def test_a_text_of_two_hundred_kilobytes_is_written_at_once():
    blank = "x\n" + "\n" * 190_000 + "y"
    files = bank_files(f'[[item]]\nkey = "a"\nprompt = """\n{blank}"""\n')

    begun = process_time()
    after = item_files.write_item(files, "a", {"key": "a", "prompt": blank.replace("\n" * 9, "\n\n")})

    assert process_time() - begun < 10
    assert item_files.read_items(after)[0].table["prompt"] == blank.replace("\n" * 9, "\n\n")
