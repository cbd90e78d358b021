"""Items whose left sides are to be matched with right sides."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.domain.item_kinds import match_answers
from portal.domain.item_kinds.base import Answer, Content, FormValues, ItemKind, Renderer, plain_text
from portal.domain.item_kinds.match.reading import MatchText, read_pairs
from portal.platform.formats.toml_tables import Table

HINT = "Choose what belongs to each. An answer may be used more than once, or not at all."


@dataclass(frozen=True, slots=True)
class MatchOption:
    """A right side to choose from, with its number in this attempt."""

    key: str
    number: str
    html: str


@dataclass(frozen=True, slots=True)
class PairView:
    """A left side with the chosen and the correct option."""

    key: str
    html: str
    chosen: MatchOption | None
    right: MatchOption


@dataclass(frozen=True, slots=True)
class MatchView:
    """The left sides in the author's order, the options in that of this attempt."""

    pairs: list[PairView]
    options: list[MatchOption]

    @property
    def has_long_options(self) -> bool:
        """Whether a closed list on a phone would cut an option off, so that all are listed above it."""
        return any(len(plain_text(option.html)) > match_answers.LONG_OPTION for option in self.options)


class MatchKind(ItemKind):
    """A question with a list of options beside each left side."""

    name = "match"
    label = "Matching pairs"
    advice = "For things that are easily confused: who does what, which word means what."
    position = 4
    usable_as_check = True

    def read_content(self, table: Table, key: str, prefix: str) -> MatchText:
        """Read two or more pairs, and options that belong to none."""
        return read_pairs(table, key, prefix)

    def render_content(self, written: MatchText, renderer: Renderer) -> Content:
        """Render the pairs and the options; equal right sides become one option."""
        key_by_right: dict[str, str] = {}
        for pair in written.pairs:
            key_by_right.setdefault(pair.right, pair.key)
        lines = {pair.right: pair.line for pair in written.pairs}
        options = [
            {"key": key, "html": renderer.render_inline(text, lines[text])}
            for text, key in key_by_right.items()
        ] + [
            {"key": f"extra.{number}", "html": renderer.render_inline(text, written.extra_line)}
            for number, text in enumerate(written.extra, 1)
        ]
        pairs = [
            {
                "key": pair.key,
                "left_html": renderer.render_inline(pair.left, pair.line),
                "right": key_by_right[pair.right],
            }
            for pair in written.pairs
        ]
        return {"pairs": pairs, "options": options}

    def shufflable_keys(self, content: Content) -> list[str]:
        """Return the keys of the options."""
        return [option["key"] for option in content["options"]]

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Return 1 if every left side has its correct option; otherwise 0."""
        return match_answers.mark_pairs(_correct_options(content), choices)

    def best_choices(self, content: Content) -> list[str]:
        """Return each left side with its correct option."""
        return match_answers.format_pairs(_correct_options(content))

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Pair each left side with a random option."""
        return match_answers.random_pairs(
            list(_correct_options(content)), self.shufflable_keys(content), chance
        )

    def read_answer(self, content: Content, order: Sequence[str], form: FormValues) -> Answer:
        """Read the option chosen for each left side."""
        messages = {
            pair["key"]: f"Choose what belongs to “{plain_text(pair['left_html'])}”"
            for pair in content["pairs"]
        }
        options = {str(number): key for number, key in enumerate(order, 1)}
        return match_answers.read_pair_answer(messages, options, form)

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether every left side has an option."""
        return len(choices) == len(content["pairs"])

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> MatchView:
        """Return the pairs, with the options in the order of this attempt."""
        html_by_key = {option["key"]: option["html"] for option in content["options"]}
        options = {
            key: MatchOption(key, str(number), html_by_key[key]) for number, key in enumerate(order, 1)
        }
        chosen_keys = match_answers.parse_pairs(answer.choices)
        pairs = [
            PairView(
                pair["key"],
                pair["left_html"],
                options.get(chosen_keys.get(pair["key"], "")),
                options[pair["right"]],
            )
            for pair in content["pairs"]
        ]
        return MatchView(pairs, list(options.values()))

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """Return each left side with its chosen option, one a line."""
        return [
            f"{pair.html}: {pair.chosen.html}"
            for pair in self.build_view(content, order, answer).pairs
            if pair.chosen
        ]

    def render_exercise(self, written: MatchText, name: str, inline: Callable[[str], str]) -> str:
        """Render the left sides with shuffled options, the correct one folded below each."""
        right_sides = list(dict.fromkeys([*(pair.right for pair in written.pairs), *written.extra]))
        options = [inline(text) for text in match_answers.shuffle_by_name(right_sides, name)]
        answers = [(inline(pair.left), inline(pair.right)) for pair in written.pairs]
        return match_answers.render_pair_exercise(
            name, HINT, "Show what belongs to it", options, answers, narrow=False
        )


def _correct_options(content: Content) -> dict[str, str]:
    """Return the key of the correct option of each left side."""
    return {pair["key"]: pair["right"] for pair in content["pairs"]}


KIND = MatchKind()
