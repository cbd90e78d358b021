"""Runs the whole audit over the banks of all modules. Pure; the same banks give the same results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.domain.authoring.content_audit.bank import AuditItem, Bank, find_twins, read_bank
from portal.domain.authoring.content_audit.common_sense import SenseKey, read_key
from portal.domain.authoring.content_audit.cue_model import CueResult, choice_sets, play_cues
from portal.domain.authoring.content_audit.draws import DRAWS, PlayResult, play
from portal.domain.authoring.content_audit.strategies import STRATEGIES, Player
from portal.domain.catalogue.services import CheckedFolder

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
