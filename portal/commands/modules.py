"""Commands: modules check, publish and export; from folder to published version.

Also import-items and export-items: questions from and for other systems.
"""

import sys
from pathlib import Path

import click
from flask import Blueprint

from portal.commands.publications import DRY_RUN, VERSION, write_folder
from portal.commands.refusals import exit_if_refused, exit_refused
from portal.domain.authoring import content_types
from portal.domain.authoring import queries as authoring
from portal.domain.authoring import services as drafts
from portal.domain.authoring.content_types import subject_of
from portal.domain.authoring.item_exchange import files, reading, services
from portal.domain.catalogue import services as catalogue_services
from portal.domain.catalogue import upkeep
from portal.domain.content_checks.checks import check_brief
from portal.domain.people.queries import person_by_staff_number
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, NotFoundError, PortalError
from portal.platform.wording import plural

bp = Blueprint("modules_commands", __name__, cli_group="modules")

MODULE_FILE = "module.toml"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@bp.cli.command("check")
@click.argument("folder", metavar="DIR", type=FOLDER)
def check(folder: Path) -> None:
    """Check one module's folder, or the folder of all modules; list every fault with its file and line.

    Faults of the format come first. If there are none, breaches of the brief for modules and guides are
    listed: sizes, minutes, coverage, choices that give the answer away, figures, reading grade, unfinished
    text. The command then ends with 1 too, but the module can still be published.
    """
    reading = _read_folder(folder)
    if breaches := check_brief(reading, clock.today()):
        exit_refused(BadInputError([str(breach) for breach in breaches]))
    for module in reading.modules:
        counts = f"{plural(len(module.lessons), 'lesson')}, {plural(len(module.items), 'item')}"
        click.echo(f"{module.package.key}: {counts}, no faults.")
    for checked in reading.guides:
        click.echo(f"{checked.guide.key}: guide, {plural(checked.words, 'word')}, no faults.")


def _read_folder(folder: Path) -> catalogue_services.CheckedFolder:
    """Read a folder whose format has no faults; the command ends if it has."""
    with exit_if_refused():
        reading = catalogue_services.check_folder(folder)
        reading.faults.refuse()
    return reading


@bp.cli.command("publish")
@click.argument("folder", metavar="DIR", type=FOLDER)
@DRY_RUN
def publish(folder: Path, dry_run: bool) -> None:
    """Publish one module's folder, or the folder of all modules with the shared files; all or nothing.

    Only faults of the format are refused. A force may decide that its own module departs from the brief, such
    as one that is shorter or has no scenario; “modules check” lists these breaches.
    """
    with exit_if_refused(), transaction(dry_run=dry_run):
        published = catalogue_services.publish_folder(folder, at=clock.now())
        lines = _publication_lines(published, dry_run)
    for line in lines:
        click.echo(line)


@bp.cli.command("check-links")
def check_links() -> None:
    """Check whether every web page that a published text links to is still there.

    Only public addresses with https are asked, and redirects only to such. Authors see what is broken. Ends
    with 1 where something is.
    """
    faults = upkeep.find_faults(upkeep.list_linked_addresses(), upkeep.public_policy())
    with transaction():
        upkeep.save_checks(faults, clock.now())
    broken = upkeep.list_broken_links()
    for each in broken:
        click.echo(f"{each.link.parent_title}, {each.link.title}: {each.link.address}: {each.fault}")
    click.echo(f"{plural(len(faults), 'page')} asked, {plural(len(broken), 'broken link')}.")
    if broken:
        sys.exit(1)


@bp.cli.command("export")
@click.argument("slug")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@VERSION
def export(slug: str, folder: Path, number: int | None) -> None:
    """Write a published module's folder to DIR, byte for byte. DIR must be new or empty.

    For a guide, named “_guides/…”, its file and the media that it shows are written.
    """
    with exit_if_refused(writing=folder):
        files = _files_of(slug, number)
        write_folder(files, folder)
    click.echo(f"{slug}: {plural(len(files), 'file')} written to {folder}.")


@bp.cli.command("import-items")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--module", required=True, metavar="DIR|KEY", help="A module's folder, or the key of a module.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(list(files.FORMATS)),
    help="Refuse a file of any other format.",
)
@click.option(
    "--outcome", default="", metavar="KEY", help="Outcome of questions for which the file names none."
)
@click.option("--by", "staff_number", metavar="STAFF_NUMBER", help="Whose draft it is, where KEY is given.")
@click.option(
    "--dry-run", is_flag=True, help="List which questions can be added and which cannot; change nothing."
)
def import_items(
    file: Path, module: str, file_format: str | None, outcome: str, staff_number: str | None, dry_run: bool
) -> None:
    """Add the questions of a Moodle XML or QTI file to a module's folder, or to a module's draft.

    The format is recognised by content. Every question that cannot come is listed with the reason; the
    others are added in a new file of the bank. A draft is opened if there is none. What the bank has already
    is left out, so that the command can be repeated.
    """
    try:
        questions = reading.read_file(file.read_bytes(), file_format or "")
        if Path(module).is_dir():
            number = _import_to_folder(Path(module), questions, outcome, dry_run=dry_run)
        else:
            number = _import_to_draft(module, questions, outcome, staff_number, dry_run=dry_run)
    except PortalError as error:
        exit_refused(error)
    except OSError as error:
        exit_refused(BadInputError([f"{error.filename} cannot be read or written: {error.strerror}."]))
    done = "would be" if dry_run else "was" if len(questions.questions) == 1 else "were"
    click.echo(f"{number} of {plural(len(questions.questions), 'question')} {done} added.")


def _import_to_folder(folder: Path, questions: reading.ReadFile, outcome: str, *, dry_run: bool) -> int:
    paths = [folder / MODULE_FILE, *sorted(folder.glob("items/*.toml"))]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    additions = _list_incoming(questions, files, outcome)
    changes = services.add_questions(files, additions, _outcome_keys(files))
    for name, content in changes.items() if not dry_run else ():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content or b"")
    return len(additions)


def _import_to_draft(
    key: str, questions: reading.ReadFile, outcome: str, staff_number: str | None, *, dry_run: bool
) -> int:
    if not staff_number:
        raise BadInputError(["Say with --by who adds them: a draft shows who saved what."])
    by, at = person_by_staff_number(staff_number), clock.now()
    with transaction(dry_run=dry_run):
        drafts.open_draft(key, by=by, at=at)
        state = authoring.get_draft(key)
        additions = _list_incoming(questions, services.read_bank_files(state), outcome)
        if additions:
            services.save_questions(state, additions, file_format=questions.format, by=by, at=at)
    return len(additions)


def _list_incoming(
    questions: reading.ReadFile, files: dict[str, bytes], outcome: str
) -> list[services.Addition]:
    """Print what becomes of each question, and return those that come."""
    outcomes = _outcome_keys(files)
    additions = []
    for question in services.propose_keys(files, questions.questions):
        click.echo(f"{question.number}. {question.name}")
        if not question.table:
            click.echo("".join(f"   Cannot come: {reason}\n" for reason in question.reasons), nl=False)
            continue
        if question.repeats:
            click.echo(f"   Left out: the bank has it as “{question.repeats}”.")
            continue
        chosen = question.outcome if question.outcome in outcomes else outcome
        click.echo(f"   {question.kind}, “{question.table['key']}”, outcome: {chosen or 'none'}")
        click.echo("".join(f"   {warning}\n" for warning in question.warnings), nl=False)
        additions.append(services.Addition(question.table, chosen))
    if any(addition.outcome not in outcomes for addition in additions):
        raise BadInputError([f"Choose an outcome with --outcome: {', '.join(outcomes)}."])
    return additions


def _outcome_keys(files: dict[str, bytes]) -> list[str]:
    return [key for key, _ in content_types.read_details(files[MODULE_FILE]).outcomes]


@bp.cli.command("export-items")
@click.argument("module", metavar="DIR|KEY")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "file_format", type=click.Choice(list(services.OUT_FORMATS)), required=True)
@click.option("--retired", is_flag=True, help="Include retired questions.")
def export_items(module: str, file: Path, file_format: str, retired: bool) -> None:
    """Write a module's questions to FILE, for another system; list what does not fit.

    KEY takes the latest published version. The file holds the right answers.
    """
    folder = Path(module)
    try:
        if folder.is_dir():
            files = {f"items/{path.name}": path.read_bytes() for path in sorted(folder.glob("items/*.toml"))}
        else:
            files = _files_of(module, None)
        bank = services.choose_outgoing(files, with_retired=retired)
        content = services.format_bank(bank, folder.resolve().name, file_format)
        with transaction():
            services.record_export(folder.resolve().name, bank, file_format, by=None)
        file.write_bytes(content)
    except PortalError as error:
        exit_refused(error)
    except OSError as error:
        exit_refused(BadInputError([f"{error.filename} cannot be read or written: {error.strerror}."]))
    for key, sentence in (*bank.left_out, *bank.notes):
        click.echo(f"{key}: {sentence}")
    click.echo(f"{plural(len(bank.items), 'question')} written to {file}, {len(bank.left_out)} left out.")


def _publication_lines(published: catalogue_services.PublishingResult, dry_run: bool) -> list[str]:
    done = "would be published" if dry_run else "published"
    lines = [f"{name}: {done}." for name, _ in published.shared]
    for version in published.versions:
        lines.append(f"{version.activity.key}: version {version.number} {done}.")
    lines += [f"{key}: guide, version {number} {done}." for key, number in published.guides]
    lines += [f"{key}: unchanged, nothing to publish." for key in published.unchanged]
    return lines


def _files_of(slug: str, number: int | None) -> dict[str, bytes]:
    subject = subject_of(slug)
    version = subject.newest_version() if number is None else subject.numbered_version(number)
    if version is None:
        raise NotFoundError(f"The {subject.noun} “{subject.activity_key}” is not published.")
    return subject.version_files(version.id)
