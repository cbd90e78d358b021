"""Writes the files of an answer pack, then the pack. The same position gives the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.domain.assurance.packs import tables
from portal.domain.assurance.packs.answers import RecommendationAnswer, answer_blocks
from portal.domain.assurance.packs.blocks import (
    Block,
    HeadingBlock,
    ParagraphBlock,
    PointsBlock,
    blocks_as_markdown,
    blocks_as_markup,
)
from portal.domain.assurance.packs.foi import describe_suppression
from portal.domain.reports import sentences
from portal.domain.reports.packs.archive import PackFile, write_archive, write_small_table
from portal.domain.reports.packs.kinds import README, SettledPosition
from portal.domain.reports.packs.pack_pdf import definition_table
from portal.domain.reports.packs.texts import Definitions, describe_pack, time_definitions
from portal.platform import wording as say
from portal.platform.documents.typesetting import typeset_pdf

ANSWER_PDF = PackFile("answer.pdf", "the answer, for people")
ANSWER_TEXT = PackFile("answer.md", "the same as text, to copy from")
FIGURES = PackFile("figures.csv", "each figure, beside what the judgement froze of it")
FIGURES_FOI = PackFile(FIGURES.name, "each figure that may be published")
EVIDENCE = PackFile("evidence.csv", "every piece of evidence, with the hash of its document")
DEFINITIONS = PackFile("definitions.csv", "what each figure counts and how")
DICTIONARY = PackFile("data-dictionary.csv", "what each column means")
_STYLE = "#show heading.where(level: 3): set text(size: 11.5pt)\n"  # a narrative’s are smaller
NAMES_PEOPLE = (
    "This pack is about named people: owners, and the people in its annexes. Keep it as you keep personnel "
    "files, and send it only to those who may see them. For the public there is an FOI edition."
)


@dataclass(frozen=True)
class PackSource:
    """What an answer pack is made of."""

    key: str  # of the recommendation, or that of all
    position: SettledPosition
    force: str
    answers: Sequence[RecommendationAnswer]
    attached: Mapping[str, tuple[PackFile, bytes]]  # documents and statements, by reference of evidence
    annexes: Sequence[PackFile]  # written already
    remarks: Sequence[str]  # what is to be said of it, such as why an annex is missing
    foi: bool
    small: int

    @property
    def title(self) -> str:
        """What is answered."""
        if len(self.answers) == 1:
            return "Answer to a recommendation"
        return f"Answer to {say.plural(len(self.answers), 'recommendation')}"


def write_answer_pack(source: PackSource, folder: Path, target: Path) -> str:
    """Write the pack.

    Args:
        source: What it is made of.
        folder: The folder with its annexes, to which its other files are added.
        target: The ZIP.

    Returns:
        The SHA-256 of the ZIP.
    """
    _write_answer(source, folder)
    _write_tables(source, folder)
    for file, content in source.attached.values():
        (folder / file.name).write_bytes(content)
    figures = FIGURES_FOI if source.foi else FIGURES
    files = [ANSWER_PDF, ANSWER_TEXT, figures, EVIDENCE, DEFINITIONS, DICTIONARY]
    files += [*(file for file, _ in source.attached.values()), *source.annexes]
    kind = "Answer pack, FOI edition" if source.foi else "Answer pack"
    readme = describe_pack(
        f"{kind}, {source.force}", source.title, source.position, _list_remarks(source), files
    )
    (folder / README).write_text(readme, encoding="utf-8", newline="\n")
    about = {
        "pack": "foi-answer" if source.foi else "answer",
        "force": source.force,
        "recommendations": [answer.recommendation.key for answer in source.answers],
        **source.position.pinned,
        **({"small_number": source.small} if source.foi else {}),
    }
    return write_archive(folder, [PackFile(README, "this text"), *files], about, target)


def _write_tables(source: PackSource, folder: Path) -> None:
    names = {reference: file.name for reference, (file, _) in source.attached.items()}
    heads, rows = tables.figures_table(source.answers)
    write_small_table(folder / FIGURES.name, heads, rows)
    heads, rows = tables.evidence_table(source.answers, names)
    write_small_table(folder / EVIDENCE.name, heads, rows)
    write_small_table(folder / DEFINITIONS.name, ("term", "meaning"), _definitions_of(source))
    columns = {"figures": tables.FIGURES, "evidence": tables.EVIDENCE}
    rows = tables.dictionary_rows(columns)
    write_small_table(folder / DICTIONARY.name, ("table", "column", "meaning"), rows)


def _definitions_of(source: PackSource) -> Definitions:
    return [*time_definitions(source.position), *tables.definition_rows(source.answers)]


def _list_remarks(source: PackSource) -> list[str]:
    if not source.foi:
        return [NAMES_PEOPLE, *source.remarks]
    states = [state for answer in source.answers for state in answer.states.values()]
    return [*describe_suppression(states, source.small), *source.remarks]


def _write_answer(source: PackSource, folder: Path) -> None:
    """Write the answer as PDF and as text, from the same parts."""
    times = f"{sentences.both_times(source.position)}."
    blocks: list[Block] = [ParagraphBlock(times)]
    if source.foi:
        blocks.append(PointsBlock(tuple(_list_remarks(source))))
    for answer in source.answers:
        blocks += answer_blocks(answer)
    markup = [_STYLE, blocks_as_markup(blocks), *definition_table(_definitions_of(source))]
    content = typeset_pdf(
        "\n".join(markup),
        title=source.title,
        above=f"{source.force} · Answer to an inspection",
        foot=times,
        author=source.force,
        at=source.position.as_known_on,
        across=True,
    )
    (folder / ANSWER_PDF.name).write_bytes(content)
    title = HeadingBlock(1, f"{source.force}: {source.title}")
    text = blocks_as_markdown([title, *blocks])
    (folder / ANSWER_TEXT.name).write_text(text, encoding="utf-8", newline="\n")
