"""The content audit finds planted cues, keeps a key with the words, and its page fits the modules."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from portal.domain.catalogue import services
from portal.domain.catalogue.source_files import COMMON_SENSE
from portal.domain.item_kinds import kinds_by_name
from portal.platform.errors import BadInputError
from tools.content import players
from tools.content.players import (
    STRATEGIES,
    AuditItem,
    Bank,
    Player,
    choice_sets,
    find_twins,
    play,
    play_cues,
    read_bank,
)
from tools.content.report import (
    MAX_RECALL,
    MAX_SURFACE_PASSES,
    MIN_DECISIONS,
    format_items,
)

ROOT = Path(__file__).resolve().parents[3]
PLAYERS = {strategy.name: strategy for strategy in STRATEGIES}
NOUNS = "lorry van coach house yard shop farm quay gate road desk ward".split()


def make_item(number: int, texts: list[str], right: int) -> AuditItem:
    choices = [
        {"key": "abcd"[n], "html": text, "feedback_html": "", "correct": n == right}
        for n, text in enumerate(texts)
    ]
    noun = NOUNS[number]
    return AuditItem(
        number,
        f"item-{number}",
        "one",
        kinds_by_name()["single"],
        {"choices": choices},
        noun,
        "Next?",
        ("1",),
    )


def make_bank(items: list[AuditItem]) -> Bank:
    return Bank("made", ("one",), tuple(items), draw=6, at_least=1, mastery=0.8)


@pytest.fixture(scope="module")
def cued() -> Bank:
    """The right choice is always the longest, and hedges."""
    return make_bank(
        [
            make_item(n, [f"Ring the {noun}", f"Perhaps wait and ask at the {noun}", f"Leave the {noun}"], 1)
            for n, noun in enumerate(NOUNS)
        ]
    )


@pytest.fixture(scope="module")
def ours():
    """The checked modules that we ship."""
    return services.check_folder(ROOT / "modules").modules


def test_a_planted_cue_is_found(cued):
    for name in ("the longest choice", "the most hedged choice", "the kindest and most careful choice"):
        assert play(cued, Player(PLAYERS[name]).answer, draws=20).passes == 20
    assert play(cued, Player(PLAYERS["the shortest choice"]).answer, draws=20).passes == 0
    sets = choice_sets(cued.items)
    learnt = play_cues(sets[:9], sets[9:])
    assert (learnt.items, learnt.right) == (3, 1.0)
    assert learnt.points_above_chance == pytest.approx(200 / 3)


def test_the_same_seed_plays_the_same_and_draws_differ(cued):
    player = Player(PLAYERS["the first choice"])

    assert play(cued, player.answer, draws=50) == play(cued, player.answer, draws=50)
    assert 0.15 < play(cued, player.answer, draws=200).mean < 0.5


def test_without_a_cue_the_model_learns_nothing_that_helps():
    items = [make_item(n, [f"Go {way} at {noun}" for way in "abcd"], n % 4) for n, noun in enumerate(NOUNS)]
    sets = choice_sets(items)

    assert play_cues(sets[:8], sets[8:]).right <= 0.5


def test_twins_are_named(cued):
    twin = make_item(0, ["Ring the lorry", "Perhaps wait and ask at the lorry", "Leave the lorry"], 0)

    other = make_item(1, ["Open every door", "Count all people", "Note which seal"], 0)

    assert find_twins([make_bank([cued.items[0], twin, other])]) == [("made/item-0", "made/item-0")]


def test_a_sheet_shows_no_key_and_comes_back_as_one(cued):
    sheet = players.format_sheet([cued])
    assert "item-0" not in sheet
    assert "correct" not in sheet
    assert sheet.count("Answer:") == len(NOUNS) + 1  # once in the head
    filled = re.sub(r"^Answer:$", "Answer: b", sheet, flags=re.MULTILINE)

    answers = players.read_sheet(filled, [cued], blind=True)["made"]
    key = players.read_key("made", {COMMON_SENSE: players.format_key(answers).encode()})

    assert all(answer.blind for answer in answers)
    assert [key.find(item).choices for item in cued.items] == [
        answer.choices for answer in sorted(answers, key=lambda answer: int(answer.item[5:]))
    ]
    assert players.format_sheet([cued], only_open={"made": key}) == players.SHEET_HEAD
    known = players.SenseKey(replace(answer, blind=False) for answer in answers)
    assert players.format_sheet([cued], only_open={"made": known}) == sheet
    reworded = make_item(0, ["Ring the lorry", "Wait at the lorry", "Leave the lorry"], 1)
    assert key.find(reworded) is None
    assert key.is_right(reworded)  # nobody fails for what was not asked


def test_a_wrong_sheet_and_a_wrong_key_are_refused(cued):
    filled = players.format_sheet([cued]).replace("Answer:\n", "Answer: ab\n", 2)
    with pytest.raises(BadInputError, match="is no answer to"):
        players.read_sheet(filled, [cued], blind=True)
    with pytest.raises(BadInputError):
        players.read_key("made", {COMMON_SENSE: b'[[answer]]\nitem = "x"\nchoice = ["a"]\n'})


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_no_surface_strategy_passes_our_modules(ours, strategy):
    for checked in ours:
        bank = read_bank(checked)
        assert play(bank, Player(strategy).answer, draws=40).pass_share <= MAX_SURFACE_PASSES * 2.5


def test_our_banks_are_decisions_and_the_page_of_the_audit_lists_them(ours):
    page = (ROOT / "docs/modules/content-audit.md").read_text("utf-8")
    banks = [read_bank(checked) for checked in ours]
    assert find_twins(banks) == []
    for checked, bank in zip(ours, banks, strict=True):
        key = players.read_key(bank.module, checked.package.files)
        assert sum(item.is_decision for item in bank.items) >= MIN_DECISIONS * len(bank.items)
        assert sum(item.is_recall for item in bank.items) <= MAX_RECALL * len(bank.items)
        assert format_items(bank, key) in page, "Run make content-audit."
        assert all(key.find(item) for item in bank.items if item.kind.name not in players.CASE_KINDS)
