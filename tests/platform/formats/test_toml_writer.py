"""The one form in which the portal writes TOML: it reads back as it was, and is written alike again."""

from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.platform.formats.toml_writer import format_toml, parse_toml
from tests.examples import few_or_many

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text(
    "a \"\\\n\r\t'é#=[]{}\x00\x7f", max_size=12
)
PLAIN = (
    TEXTS
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.decimals(allow_nan=False, places=4)
    | st.dates()
    | st.datetimes()
    | st.times()
)
KEYS = st.text('ab-_ ."é\n', max_size=3)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


@settings(max_examples=few_or_many(150, 2000))
@given(table=TABLES)
def test_what_is_written_reads_back_equal_and_is_written_alike_again(table):
    text = format_toml(table)

    assert parse_toml(text) == table
    assert format_toml(parse_toml(text)) == text


def test_the_form_of_each_type_of_value():
    table = {
        "text": 'Say "no"\t.',
        "lines": 'First.\n\nLast "word"',
        "open": "One line\n",
        "long": ["x" * 60, "y" * 60],
        "list": ["a", 1, True, {"b": Decimal("0.50")}],
        "none": [],
        "on": date(2027, 5, 31),
        "at": datetime(2027, 5, 31, 9, 30),
        "hour": time(9, 30),
        "share": Decimal(1),
        "odd key": 1.5,
        "rules": {"draw": 2, "more": {}},
        "item": [{"key": "a", "choice": [{"key": "b"}, {"key": "c"}]}, {"key": "d"}],
    }

    assert format_toml(table) == (
        'text = "Say \\"no\\"\\t."\n'
        'lines = """\nFirst.\n\nLast "word\\""""\n'
        'open = """\nOne line\n"""\n'
        f'long = [\n  "{"x" * 60}",\n  "{"y" * 60}",\n]\n'
        'list = ["a", 1, true, { b = 0.50 }]\n'
        "none = []\non = 2027-05-31\nat = 2027-05-31T09:30:00\nhour = 09:30:00\nshare = 1.0\n"
        '"odd key" = 1.5\n'
        "\n[rules]\ndraw = 2\n\n[rules.more]\n"
        '\n[[item]]\nkey = "a"\n\n[[item.choice]]\nkey = "b"\n\n[[item.choice]]\nkey = "c"\n'
        '\n[[item]]\nkey = "d"\n'
    )


def test_plain_values_come_before_tables_whatever_their_order():
    assert format_toml({"rules": {"draw": 2}, "title": "One"}) == 'title = "One"\n\n[rules]\ndraw = 2\n'


def test_what_toml_has_no_type_for_is_refused():
    with pytest.raises(TypeError, match="NoneType is not a type of TOML"):
        format_toml({"key": None})
