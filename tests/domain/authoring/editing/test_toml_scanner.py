"""Files that are valid and written as few would: changed where they stand, or at least to what was meant."""

from time import perf_counter

import pytest

from portal.domain.authoring.editing import item_bank
from portal.domain.authoring.editing.toml_patch import parse_toml, rewrite_toml
from tests.domain.authoring.editing.comparing import bank, lines_apart, within


def test_tables_that_stand_apart_are_changed_where_they_stand():
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
    said = parse_toml(text)
    one, other = said["outcome"]

    changed = rewrite_toml(text, said | {"outcome": [one, other | {"text": "C"}]})
    turned = rewrite_toml(text, said | {"outcome": [other, one]})
    fewer = rewrite_toml(text, said | {"outcome": [other]})
    more = rewrite_toml(text, said | {"outcome": [one, {"key": "c"}, other]})

    assert lines_apart(text, changed) == (['text = "B"'], ['text = "C"'])
    assert parse_toml(turned)["outcome"] == [other, one]
    assert sorted(turned.split("\n")) == sorted(text.split("\n"))
    assert fewer == text.partition("\n\n")[2]
    assert [each["key"] for each in parse_toml(more)["outcome"]] == ["a", "c", "b"]
    assert within(text, more)


UNUSUAL = [
    '[[item]]\nkey = "a"\n[other]\nx = 1\n[[item.choice]]\nkey = "b"\n[[item]]\nkey = "c"\n',
    'item = [{ key = "a", "b.c" = 1, d.e = "x" }, { key = "c", d = { e = [ 1, 2 ] } }]\nother.x = 1\n',
    '[[item]]\nkey = "a"\nd.e.f = "x"\n  [item.d.g]\n  h = 1\n[[item]]\nkey = "c"\n[item.d]\n[other.x]\n',
    "[other]\nx = 1979-05-27 07:32:00Z\n[[item]]\n'key' = 'a'\n[[item]]\nkey = 'c'\nn = [1e3, -0.0, 0xff]\n",
]


@pytest.mark.parametrize("text", UNUSUAL)
def test_what_is_written_unusually_says_what_was_meant(text):
    said = parse_toml(text)
    first, last = said["item"]
    for wanted in (
        said | {"item": [last, first]},
        said | {"item": [first]},
        said | {"item": [last | {"new": {"a": 1}}, first | {"key": "z", "list": [{"x": "y"}]}]},
        said | {"item": [first | {"d": {"e": "z"}}, last]},
        {"item": [first, last]},
        said | {"other": {"x": "y", "deep": {"er": [1, 2]}}},
    ):
        assert parse_toml(rewrite_toml(text, wanted)) == wanted


def test_a_text_of_two_hundred_kilobytes_is_written_at_once():
    blank = "x\n" + "\n" * 190_000 + "y"
    files = bank(f'[[item]]\nkey = "a"\nprompt = """\n{blank}"""\n')

    begun = perf_counter()
    after = item_bank.write_item(files, "a", {"key": "a", "prompt": blank.replace("\n" * 9, "\n\n")})

    assert perf_counter() - begun < 10
    assert item_bank.read_items(after)[0].table["prompt"] == blank.replace("\n" * 9, "\n\n")
