"""The audit as a page of Markdown, for ``docs/modules/content-audit.md``. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from portal.domain.authoring.content_audit.bank import AuditItem, Bank
from portal.domain.authoring.content_audit.common_sense import SenseKey
from portal.domain.authoring.content_audit.results import (
    MAX_CUE_POINTS,
    MAX_RECALL,
    MAX_SENSE_PASSES,
    MAX_SURFACE_PASSES,
    MIN_DECISIONS,
    Audit,
)
from portal.domain.authoring.content_audit.strategies import STRATEGIES

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
