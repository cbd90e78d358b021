"""The packs of directives whose completion is evidence: annexes of an answer pack, as they are sent alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from portal.domain.assurance.desk import HeldEvidence
from portal.domain.people.queries import Viewer
from portal.domain.reports.packs import kinds as directive_packs
from portal.domain.reports.packs.archive import PackFile
from portal.domain.reports.packs.contents import ReportDone, write_pack
from portal.domain.reports.packs.foi_figures import read_figures
from portal.domain.reports.packs.foi_tables import make_tables
from portal.domain.reports.packs.kinds import SettledPosition
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.platform.errors import NotFoundError, RuleError

NOT_THERE = "{reference} is not an annex: the directive was not in the portal at this position."


@dataclass
class Annexes:
    """What was written, whom it names, and what could not be written."""

    files: list[PackFile] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)  # a sentence for each directive without an annex
    people: set[int] = field(default_factory=set)  # with a row in one of them
    published: set[tuple[int, int]] = field(default_factory=set)  # numerators with denominators, in FOI packs


def directives_of(pieces: Sequence[HeldEvidence]) -> list[str]:
    """The references of the directives whose completion is evidence, in order."""
    figures = (piece.version.definition for piece in pieces if piece.version.kind == "figure")
    return sorted({str(reference) for figure in figures if (reference := figure.get("directive"))})


def write_annexes(
    viewer: Viewer,
    directives: Sequence[str],
    position: SettledPosition,
    folder: Path,
    *,
    foi: bool,
    force: str,
    small: int,
    done: ReportDone,
) -> Annexes:
    """Write the pack of each directive into a folder.

    Args:
        viewer: For whom; sees the whole force.
        directives: References of directives.
        position: Of the answer pack.
        folder: Where the annexes are written.
        foi: Whether their FOI packs are written, else their inspection packs.
        force: Name of the force.
        small: The small number of an FOI pack.
        done: Is told how many rows are written.
    """
    annexes, name = Annexes(), directive_packs.FOI if foi else directive_packs.INSPECTION
    rows = 0
    for reference in directives:
        try:
            report = completion_report(viewer, reference, position)
            directive_packs.refuse_pack(report, name, small)
        except NotFoundError:
            annexes.refusals.append(NOT_THERE.format(reference=reference))
            continue
        except RuleError as error:
            annexes.refusals.append(f"{reference} is not an annex. {error}")
            continue
        report = replace(report, position=position)
        file = PackFile(
            f"{reference}-{name}", f"annex: the {_words(name)} of {reference}, unpacked by itself"
        )
        scratch = folder / f"{reference}.parts"
        scratch.mkdir()
        made = write_pack(
            report,
            name,
            scratch,
            folder / file.name,
            force=force,
            small=small,
            done=partial(_report_after, done, rows),
        )
        rows += made.rows
        annexes.files.append(file)
        _note_contents(annexes, report, foi=foi, small=small)
    return annexes


def _report_after(done: ReportDone, before: int, rows: int) -> None:
    done(before + rows)


def _words(name: str) -> str:
    return "FOI pack" if name == directive_packs.FOI else "inspection pack"


def _note_contents(annexes: Annexes, report: CompletionReport, *, foi: bool, small: int) -> None:
    if not foi:
        annexes.people |= report.list_person_ids()
        return
    tables = make_tables(read_figures(report), small)
    if tables.complete is not None and tables.counted is not None:
        annexes.published.add((tables.complete, tables.counted))
