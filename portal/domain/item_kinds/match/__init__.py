"""Things to be matched with what belongs to them: a mark where all are, else nothing."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.domain.item_kinds import match_answers
from portal.domain.item_kinds.base import Answer, Content, FormValues, ItemKind, Renderer, plain_text
from portal.domain.item_kinds.match import marking
from portal.domain.item_kinds.match.reading import MatchText, read_pairs
from portal.platform.formats.toml_tables import Table


@dataclass(frozen=True, slots=True)
class MatchOption:
    """What may be chosen, with its number among those that this attempt shows."""

    key: str
    number: str
    html: str


@dataclass(frozen=True, slots=True)
class PairView:
    """A left side with what was chosen for it and what belongs to it."""

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
        """Whether a closed list could not show an option whole, so that they have to stand above as well."""
        return any(len(plain_text(option.html)) > match_answers.LONG_OPTION for option in self.options)


class MatchKind(ItemKind):
    """A list of options beside each thing."""

    name = "match"
    label = "Matching pairs"
    advice = "For things that are easily confused: who does what, which word means what."
    position = 4
    usable_as_check = True

    def read_content(self, table: Table, key: str, prefix: str) -> MatchText:
        """Two or more pairs, and options that belong to nothing."""
        return read_pairs(table, key, prefix)

    def render_content(self, written: MatchText, renderer: Renderer) -> Content:
        """The pairs, and the options by a key each; right sides that say the same are one option."""
        owner: dict[str, str] = {}
        for pair in written.pairs:
            owner.setdefault(pair.right, pair.key)
        lines = {pair.right: pair.line for pair in written.pairs}
        options = [
            {"key": key, "html": renderer.render_inline(text, lines[text])} for text, key in owner.items()
        ] + [
            {"key": f"extra.{number}", "html": renderer.render_inline(text, written.extra_line)}
            for number, text in enumerate(written.extra, 1)
        ]
        pairs = [
            {
                "key": pair.key,
                "left_html": renderer.render_inline(pair.left, pair.line),
                "right": owner[pair.right],
            }
            for pair in written.pairs
        ]
        return {"pairs": pairs, "options": options}

    def shufflable_keys(self, content: Content) -> list[str]:
        """Keys of the options."""
        return [option["key"] for option in content["options"]]

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """1 when every left side has its right one; else 0."""
        return marking.mark_match(content, choices)

    def best_choices(self, content: Content) -> list[str]:
        """Each left side with its right one."""
        return match_answers.format_pairs(marking.right_options(content))

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Any options, each once as far as they last."""
        return match_answers.random_pairs(
            list(marking.right_options(content)), self.shufflable_keys(content), chance
        )

    def read_answer(self, content: Content, order: Sequence[str], sent: FormValues) -> Answer:
        """The option chosen for each left side."""
        asked = {
            pair["key"]: f"Choose what belongs to “{plain_text(pair['left_html'])}”"
            for pair in content["pairs"]
        }
        options = {str(number): key for number, key in enumerate(order, 1)}
        return match_answers.read_pair_answer(asked, options, sent)

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether every left side has an option."""
        return len(choices) == len(content["pairs"])

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> MatchView:
        """The options in the order of this attempt."""
        words = {option["key"]: option["html"] for option in content["options"]}
        options = {key: MatchOption(key, str(number), words[key]) for number, key in enumerate(order, 1)}
        given = match_answers.parse_pairs(answer.choices)
        pairs = [
            PairView(
                pair["key"],
                pair["left_html"],
                options.get(given.get(pair["key"], "")),
                options[pair["right"]],
            )
            for pair in content["pairs"]
        ]
        return MatchView(pairs, list(options.values()))

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """Each left side with what was chosen."""
        return [
            f"{pair.html}: {pair.chosen.html}"
            for pair in self.build_view(content, order, answer).pairs
            if pair.chosen
        ]

    def render_exercise(self, written: MatchText, name: str, inline: Callable[[str], str]) -> str:
        """The left sides, what belongs to each folded behind it; the options mixed."""
        rights = list(dict.fromkeys([*(pair.right for pair in written.pairs), *written.extra]))
        options = [inline(text) for text in match_answers.shuffle_by_name(rights, name)]
        pairs = [(inline(pair.left), inline(pair.right)) for pair in written.pairs]
        hint = "Choose what belongs to each. An answer may be used more than once, or not at all."
        return match_answers.render_pair_exercise(
            name, hint, "Show what belongs to it", options, pairs, narrow=False
        )


KIND = MatchKind()
