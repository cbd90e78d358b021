"""The packs of directives whose completion is evidence: annexes of an answer pack, as they are sent alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from portal.domain.assurance.desk import EvidenceSnapshot
from portal.domain.people.queries import Viewer
from portal.domain.reports.packs import kinds as directive_packs
from portal.domain.reports.packs.archive import PackFile
from portal.domain.reports.packs.contents import ReportDone, write_pack
from portal.domain.reports.packs.foi_figures import make_report_tables
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
    published: dict[str, tuple[int, int]] = field(default_factory=dict)  # complete and counted, in FOI packs


def directives_of(pieces: Sequence[EvidenceSnapshot]) -> list[str]:
    """The references of the directives whose completion is evidence, in order."""
    figures = (piece.version.definition for piece in pieces if piece.version.kind == "figure")
    return sorted({str(reference) for figure in figures if (reference := figure.get("directive"))})


@dataclass(frozen=True)
class AnnexWish:
    """Which edition of directives' packs is written, and for whom."""

    viewer: Viewer  # sees the whole force
    position: SettledPosition  # of the answer pack
    foi: bool  # FOI packs, else inspection packs
    force: str
    small: int  # the small number of an FOI pack

    @property
    def pack_name(self) -> str:
        """Which pack of a directive."""
        return directive_packs.FOI if self.foi else directive_packs.INSPECTION


def write_annexes(wish: AnnexWish, directives: Sequence[str], folder: Path, done: ReportDone) -> Annexes:
    """Write the pack of each directive into a folder.

    Args:
        wish: Which edition.
        directives: References of directives.
        folder: Where the annexes are written.
        done: Is told how many rows are written.
    """
    annexes, rows = Annexes(), 0
    for reference in directives:
        try:
            report = completion_report(wish.viewer, reference, wish.position)
            directive_packs.refuse_pack(report, wish.pack_name, wish.small)
        except NotFoundError:
            annexes.refusals.append(NOT_THERE.format(reference=reference))
        except RuleError as error:
            annexes.refusals.append(f"{reference} is not an annex. {error}")
        else:
            rows += _write_annex(annexes, wish, report, folder, partial(_report_after, done, rows))
    return annexes


def _write_annex(
    annexes: Annexes, wish: AnnexWish, report: CompletionReport, folder: Path, done: ReportDone
) -> int:
    """Write the pack of one directive, and return how many rows it has."""
    reference, name = report.directive.reference, wish.pack_name
    kind = "FOI pack" if wish.foi else "inspection pack"
    file = PackFile(f"{reference}-{name}", f"annex: the {kind} of {reference}, unpacked by itself")
    scratch = folder / f"{reference}.parts"
    scratch.mkdir()
    target = folder / file.name
    pack = write_pack(report, name, scratch, target, force=wish.force, small=wish.small, done=done)
    annexes.files.append(file)
    if not wish.foi:
        annexes.people |= report.list_person_ids()
        return pack.rows
    tables = make_report_tables(report, wish.small)
    annexes.published[reference] = (tables.complete, tables.counted)
    return pack.rows


def _report_after(done: ReportDone, before: int, rows: int) -> None:
    done(before + rows)
