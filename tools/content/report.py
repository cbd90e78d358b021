"""The audit as a page of Markdown, for ``docs/modules/content-audit.md``. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from portal.domain.catalogue.services import CheckedFolder
from tools.content.players import (
    DRAWS,
    STRATEGIES,
    AuditItem,
    Bank,
    CueResult,
    Player,
    PlayResult,
    SenseKey,
    choice_sets,
    find_twins,
    play,
    play_cues,
    read_bank,
    read_key,
)

# Runs the whole audit over the banks of all modules. Pure; the same banks give the same results.

MAX_SURFACE_PASSES = 0.01  # of the attempts by one surface strategy
MAX_SENSE_PASSES = 0.05  # of the attempts by the common-sense key
MAX_CUE_POINTS = 5  # percentage points above chance
MIN_DECISIONS, MAX_RECALL = 0.4, 0.15  # of a bank


@dataclass(frozen=True)
class BankAudit:
    """What the audit found in one module."""

    bank: Bank
    key: SenseKey
    surface: Mapping[str, PlayResult]  # by the strategy's name
    cues: CueResult
    sense: PlayResult
    guessed: PlayResult  # by the blind answers of the key, with guesses in place of the others

    @property
    def decisions(self) -> float:
        """The share of items that are decisions in a scene."""
        return _share([item.is_decision for item in self.bank.items])

    @property
    def recall(self) -> float:
        """The share of items that ask for knowledge without a case."""
        return _share([item.is_recall for item in self.bank.items])

    @property
    def sense_right(self) -> list[AuditItem]:
        """Items that the common-sense key answers right."""
        return [item for item in self.bank.items if self.key.find(item) and self.key.is_right(item)]

    @property
    def unanswered(self) -> list[AuditItem]:
        """Items to whose words the key has no answer; they count as right."""
        return [item for item in self.bank.items if not self.key.find(item)]

    @property
    def answer_count(self) -> int:
        """The number of items to whose words the key has an answer."""
        return len(self.bank.items) - len(self.unanswered)

    @property
    def blind_count(self) -> int:
        """Answers of the key by a reader who had not seen the lessons."""
        return sum(map(self.key.is_blind, self.bank.items))

    @property
    def blind_right(self) -> int:
        """How many of these are right."""
        return sum(map(self.key.is_blind, self.sense_right))

    def breaches(self) -> list[str]:
        """The aims that this module misses, each in a sentence."""
        worst_name, worst = max(self.surface.items(), key=lambda pair: pair[1].passes)
        name = self.bank.module
        rules = (
            (
                worst.pass_share >= MAX_SURFACE_PASSES,
                f"{name}: {worst_name} passes {worst.passes} of {worst.draws} attempts.",
            ),
            (
                self.sense.pass_share > MAX_SENSE_PASSES,
                f"{name}: common sense passes {self.sense.passes} of {self.sense.draws} attempts.",
            ),
            (
                self.decisions < MIN_DECISIONS,
                f"{name}: {self.decisions:.0%} of the items are decisions in a scene.",
            ),
            (
                self.cues.points_above_chance > MAX_CUE_POINTS,
                f"{name}: the cue model is right {self.cues.points_above_chance:.0f} points above chance.",
            ),
            (self.recall > MAX_RECALL, f"{name}: {self.recall:.0%} of the items are recall."),
            (
                self.blind_count < self.answer_count,
                f"{name}: {self.answer_count - self.blind_count} of {self.answer_count} answers of the key"
                " are not blind.",
            ),
        )
        return [sentence for is_breach, sentence in rules if is_breach]


@dataclass(frozen=True)
class Audit:
    """What the audit found in all modules."""

    modules: Sequence[BankAudit]
    twins: Sequence[tuple[str, str]]
    draws: int

    @property
    def cues(self) -> CueResult:
        """The cue model over all modules, each tested by what it learnt from the others."""
        counts = [module.cues.items for module in self.modules]
        items = sum(counts) or 1
        right = sum(module.cues.right * n for module, n in zip(self.modules, counts, strict=True))
        chance = sum(module.cues.chance * n for module, n in zip(self.modules, counts, strict=True))
        return CueResult(items, right / items, chance / items)

    def breaches(self) -> list[str]:
        """The aims that are missed, each in a sentence."""
        sentences = [sentence for module in self.modules for sentence in module.breaches()]
        sentences += [f"{one} and {other} share too many words." for one, other in self.twins]
        return sentences


def audit_folder(folder: CheckedFolder, *, draws: int = DRAWS) -> Audit:
    """Audit every bank of a folder without faults of format.

    Raises:
        BadInputError: A common-sense key cannot be read.
    """
    banks = [read_bank(checked) for checked in folder.modules]
    sets = {bank.module: choice_sets(bank.items) for bank in banks}
    audits = []
    for checked, bank in zip(folder.modules, banks, strict=True):
        key = read_key(bank.module, checked.package.files)
        training = [each for module, choices in sets.items() if module != bank.module for each in choices]
        audits.append(
            BankAudit(
                bank,
                key,
                {strategy.name: play(bank, Player(strategy).answer, draws=draws) for strategy in STRATEGIES},
                play_cues(training, sets[bank.module]),
                play(bank, key.choose, draws=draws),
                play(bank, key.guesser(1), draws=draws),
            )
        )
    return Audit(audits, find_twins(banks), draws)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


HEAD = f"""\
# Can the assessment be passed without the lessons?

Written by `make content-audit`; the same items give the same page. Scores are simulated on
{{draws:,}} attempts a module, drawn as the assessment draws them. Retired items are left out.

| Aim | Limit |
| --- | --- |
| Attempts passed by any of ten surface strategies | under {MAX_SURFACE_PASSES:.0%} |
| Attempts passed by the common-sense key | at most {MAX_SENSE_PASSES:.0%} |
| Cue model, trained on the other modules | at most {MAX_CUE_POINTS} points above chance |
| Decisions in a scene, of the items of a bank | at least {MIN_DECISIONS:.0%} |
| Recall without a case | at most {MAX_RECALL:.0%} |
"""
SURFACE = "The number of passed attempts, and in brackets the mean score."
CUES = """\
A conditional logistic regression over the lengths of choices, the ten scores above, punctuation and
frequent words. It learns from three modules and answers the fourth. By chance alone a bank of this
size differs from its expected share by about seven points."""
SENSE = """\
`common-sense.toml` beside each bank has what a sensible reader answered from the words of the
questions alone. An answer counts for the words that were read. Scenarios and reports, and questions
without an answer to their present words, count as right. “Blind” answers are of a reader who had
not seen the lessons; the others were written with the item, as what such a reader would choose.
“With guesses” counts the passes if those others are guessed instead."""
ITEMS = "“Sense” says whether the common-sense key answers the item right."


def format_audit(audit: Audit) -> str:
    """Format the whole page."""
    parts = [HEAD.format(draws=audit.draws).rstrip(), *_missed(audit)]
    parts += ["## Surface strategies", SURFACE, _surface_table(audit)]
    parts += ["## A model that learns cues", CUES, _cue_table(audit)]
    parts += ["## Common sense", SENSE, _sense_table(audit)]
    parts += [format_items(module.bank, module.key) for module in audit.modules]
    return "\n\n".join(parts) + "\n"


def format_items(bank: Bank, key: SenseKey) -> str:
    """Format the list of a module's items; it needs no simulation."""
    return f"## Items of {bank.module} by outcome and source\n\n{ITEMS}\n\n{_item_table(bank, key)}"


def _missed(audit: Audit) -> Iterator[str]:
    breaches = audit.breaches()
    yield "## Aims that are missed" if breaches else "Every aim is reached."
    if breaches:
        yield "\n".join(f"- {sentence}" for sentence in breaches)


def _surface_table(audit: Audit) -> str:
    rows = [
        [
            strategy.name,
            *(
                f"{module.surface[strategy.name].passes} ({module.surface[strategy.name].mean:.0%})"
                for module in audit.modules
            ),
        ]
        for strategy in STRATEGIES
    ]
    return _table(["Strategy", *(module.bank.module for module in audit.modules)], rows)


def _cue_table(audit: Audit) -> str:
    results = [*((module.bank.module, module.cues) for module in audit.modules), ("all", audit.cues)]
    rows = [
        [name, cues.items, f"{cues.right:.0%}", f"{cues.chance:.0%}", f"{cues.points_above_chance:+.0f}"]
        for name, cues in results
    ]
    return _table(["Module", "Items", "Right", "By chance", "Points"], rows)


def _sense_table(audit: Audit) -> str:
    rows = [
        [
            module.bank.module,
            len(module.bank.items),
            f"{module.decisions:.0%}",
            f"{module.recall:.0%}",
            f"{module.blind_right} of {module.blind_count}",
            f"{len(module.sense_right) - module.blind_right} of {module.answer_count - module.blind_count}",
            len(module.unanswered),
            f"{module.sense.passes} of {module.sense.draws}",
            module.guessed.passes,
        ]
        for module in audit.modules
    ]
    headers = [
        "Module",
        "Items",
        "Decisions",
        "Recall",
        "Blind, right",
        "Others, right",
        "Not answered",
        "Passes",
        "With guesses",
    ]
    return _table(headers, rows)


def _item_table(bank: Bank, key: SenseKey) -> str:
    outcomes = bank.outcomes
    ordered = sorted(bank.items, key=lambda item: (outcomes.index(item.outcome), item.sources, item.key))
    rows = [
        [item.outcome, ", ".join(item.sources), item.key, _form(item), _sense(key, item)] for item in ordered
    ]
    return _table(["Outcome", "Source", "Item", "Form", "Sense"], rows)


def _form(item: AuditItem) -> str:
    if item.is_decision:
        return "decision" if item.kind.name == "single" else "scenario"
    return "recall" if item.is_recall else item.kind.name


def _sense(key: SenseKey, item: AuditItem) -> str:
    answer = key.find(item)
    if answer is None:
        return "–"
    return ("right" if key.is_right(item) else "wrong") + ("" if answer.blind else ", not blind")


def _table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines: list[Sequence[object]] = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
