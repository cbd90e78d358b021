"""Out and in again gives the same questions: kind, words, choices, keys, feedback, outcome and sources."""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from portal.domain.authoring import item_files
from portal.domain.authoring.item_exchange import services
from portal.domain.authoring.item_exchange.files import (
    BOX,
    OutgoingBank,
    OutgoingItem,
    block_elements,
    choose_items,
)
from portal.domain.authoring.item_exchange.qti import ITEM_SPACE, write_item
from portal.domain.authoring.item_exchange.questions import escape_block, read_html, read_plain
from portal.domain.authoring.item_exchange.reading import read_questions
from portal.domain.authoring.item_exchange.services import OUT_FORMATS, format_bank
from tests.examples import sweep_after

MODULES = Path(__file__).resolve().parents[4] / "modules"
KEYS = sweep_after(2, "recognise", "respond", "protect", "report")
# The order of an item's parts, as the information model of version 3.0 has it.
PARTS = [
    "qti-response-declaration",
    "qti-outcome-declaration",
    "qti-item-body",
    "qti-response-processing",
    "qti-modal-feedback",
]


def shipped_bank(key: str) -> dict[str, bytes]:
    return {f"items/{path.name}": path.read_bytes() for path in (MODULES / key / "items").glob("*.toml")}


def comparable(table: dict[str, Any]) -> dict[str, Any]:
    """The item with white space and one source written in one way; its duties stay behind."""
    source = table["source"]
    words = {name: " ".join(text.split()) for name, text in table.items() if isinstance(text, str)}
    kept = {name: value for name, value in table.items() if name != "for"}
    return kept | words | {"source": source if isinstance(source, list) else [source]}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", OUT_FORMATS)
def test_every_shipped_question_that_fits_comes_back_the_same(key, form):
    bank = choose_items(item_files.read_items(shipped_bank(key)), with_retired=True)

    _, rows = read_questions(format_bank(bank, key, form))

    assert len(bank.items) > 30
    assert {row.reasons for row in rows} == {()}
    assert [comparable(row.table | {"outcome": row.outcome}) for row in rows] == [
        comparable(item.table) for item in bank.items
    ]


@pytest.mark.parametrize("key", KEYS)
def test_what_does_not_fit_is_named_and_nothing_else_is_left_out(key):
    places = item_files.read_items(shipped_bank(key))

    bank = choose_items(places)

    assert len(bank.items) + len(bank.left_out) == len(places)
    kinds = {place.key: place.table["kind"] for place in places}
    assert all(
        reason == "It is retired." or kinds[name] in {"scenario", "report"} for name, reason in bank.left_out
    )


@pytest.mark.parametrize("form", OUT_FORMATS)
def test_the_same_bank_gives_the_same_bytes(form):
    bank = choose_items(item_files.read_items(shipped_bank("report")))

    assert format_bank(bank, "report", form) == format_bank(bank, "report", form)


TEXT = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
MARKS = ["*", "_", "[x](y)", "<b>", "&amp;", "1.", "#", ":::", "`", "|", "\\"]
WORDS = st.lists(TEXT | st.sampled_from(MARKS), min_size=1, max_size=6).map(" ".join)


@given(WORDS)
def test_words_are_never_markup_and_come_back_from_html(text):
    rendered = str(MarkdownIt("commonmark", {"html": False}).render(escape_block(text)))
    shown = "".join(fromstring(f"<x>{rendered}</x>").itertext()).strip()

    assert shown == text
    assert rendered.startswith("<p>")
    assert [block.text for block in read_html(rendered).blocks] == [escape_block(text)]


def shows_no_formula(text: str) -> bool:
    """Whether no other system would typeset a part of the text; what it would is refused when it comes in."""
    return "$$" not in text and "\\(" not in text and "\\[" not in text


@st.composite
def items(draw: Any) -> dict[str, Any]:
    """An item of any kind with any words."""
    words = WORDS.filter(shows_no_formula).map(escape_block)
    kind = draw(st.sampled_from(["single", "multiple", "order", "match"]))
    texts = draw(st.lists(words, min_size=6, max_size=6, unique_by=lambda text: text.lower()))
    keys = draw(st.sampled_from([["a", "b", "c"], ["1", "2", "x-y"]]))
    bodies: dict[str, dict[str, Any]] = {
        "order": {"step": [{"key": key, "text": text} for key, text in zip(keys, texts, strict=False)]},
        "match": {
            "extra_right": [texts[0]],
            "pair": [
                {"key": key, "left": text, "right": texts[number % 2 + 1]}
                for number, (key, text) in enumerate(zip(keys, texts[3:], strict=True))
            ],
        },
    }
    right = {"single": 1, "multiple": 2}.get(kind, 0)
    choices = [
        {"key": key, "text": text, "feedback": draw(words)} | ({"correct": True} if number < right else {})
        for number, (key, text) in enumerate(zip(keys, texts, strict=False))
    ]
    return {
        "key": "k",
        "outcome": "see",
        "kind": kind,
        "source": ["1", "practice"],
        "stimulus": f"{draw(words)}\n\n{draw(words)}",
        "prompt": draw(words),
        "explanation": draw(words),
        **bodies.get(kind, {"choice": choices}),
    }


@pytest.mark.slow
@given(items(), st.sampled_from(sorted(OUT_FORMATS)))
def test_any_question_comes_back_the_same(table, form):
    bank = OutgoingBank([OutgoingItem("k", table["kind"], table)], [], [])

    _, (row,) = read_questions(format_bank(bank, "any", form))

    assert row.reasons == ()
    assert row.table | {"outcome": row.outcome} == table


@pytest.mark.parametrize("key", KEYS)
def test_items_have_the_parts_of_version_3_0_in_their_order(key):
    for item in choose_items(item_files.read_items(shipped_bank(key))).items:
        root = write_item(item)
        names = [child.tag for child in root]
        choices = {c.get("identifier") for c in root.iter() if str(c.tag).endswith("choice")}

        assert root.get("xmlns") == ITEM_SPACE
        assert names == sorted(names, key=PARTS.index)
        assert names.count("qti-item-body") == names.count("qti-response-processing") == 1
        assert set(" ".join(value_texts(root)).split()) <= choices
        assert all(c.get("response-identifier") == "RESPONSE" for c in root.iter() if "interaction" in c.tag)


def value_texts(root: Element) -> list[str]:
    return [str(value.text) for value in root.find("qti-response-declaration").iter("qti-value")]


def test_a_figure_stays_and_slots_and_links_are_named():
    choices = (
        '[[item.choice]]\nkey = "a"\ntext = "a"\ncorrect = true\n\n[[item.choice]]\nkey = "b"\ntext = "b"\n'
    )
    head = '[[item]]\nkey = "{}"\nkind = "single"\nprompt = "{}"\nstimulus = "{}"\n\n'
    texts = [
        ("a", "Call [[force.x]]?", ""),
        ("b", "See [it](guide:x)?", ""),
        ("c", "c", "::: inset\\nx\\n:::"),
    ]
    bank = choose_items(
        item_files.read_items({"items/a.toml": "\n".join(head.format(*t) + choices for t in texts).encode()})
    )

    assert [item.key for item in bank.items] == ["a", "b"]
    assert bank.left_out == [("c", BOX)]
    assert [key for key, _ in bank.notes] == ["a", "b"]
    assert [element.tag for element in block_elements("a\n\n- b")] == ["p", "ul"]


def test_what_the_bank_has_is_recognised_and_new_keys_are_free():
    files = shipped_bank("report") | {"module.toml": (MODULES / "report" / "module.toml").read_bytes()}
    bank = choose_items(item_files.read_items(files))
    _, rows = read_questions(format_bank(bank, "report", "moodle"))

    known = services.propose_keys(files, rows)

    assert [row.repeats for row in known] == [item.key for item in bank.items]
    additions = [services.Addition(row.table, row.outcome) for row in known]
    changes = services.add_questions(files, additions, {row.outcome for row in rows})
    assert list(changes) == ["items/imported-1.toml"]
    assert len(item_files.read_items(files | changes)) == len(item_files.read_items(files)) + len(rows)
    assert read_plain("a\n\nb").blocks[1].text == "b"
