"""Commands: people."""

from datetime import datetime
from pathlib import Path

import click
from flask import Blueprint

from portal.commands.imports import FILE_ARGUMENT, import_file
from portal.commands.refusals import exit_if_refused, exit_refused
from portal.domain.accounts import grants
from portal.domain.assessment import services
from portal.domain.people.queries import person_by_staff_number, unit_by_path
from portal.domain.retention import services as retention_services
from portal.domain.subject_access.person_file import Form, make_copy
from portal.platform import clock
from portal.platform.db import OPEN_END, transaction
from portal.platform.errors import PortalError, RuleError
from portal.platform.permissions import Role
from portal.platform.wording import plural

bp = Blueprint("people_commands", __name__, cli_group="people")


@bp.cli.command("import")
@FILE_ARGUMENT
@click.option("--profile", help="Name of the column mapping that was saved on the imports page.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--new-values", is_flag=True, help="Take new ranks and roles though they look mistyped.")
def import_roster(file: Path, profile: str | None, dry_run: bool, new_values: bool) -> None:
    """Import the roster FILE (CSV or XLSX): all of it, or nothing.

    A rank or role that is new and looks like a known one mistyped is refused without --new-values.
    """
    import_file("roster", file, profile, dry_run, new_values=new_values)


@bp.cli.command("grant")
@click.argument("staff_number")
@click.argument("role", type=click.Choice([str(role) for role in Role]))
@click.option("--unit", help="Path of the unit for which, such as 'Westshire Police/Crime'.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Last day of the role. Without it the role does not end.",
)
def grant_role(staff_number: str, role: str, unit: str | None, until: datetime | None) -> None:
    """Grant ROLE to the person with STAFF_NUMBER, from today on; their sessions end."""
    with exit_if_refused(counted=False), transaction():
        made = grants.grant_role(
            person_by_staff_number(staff_number),
            Role(role),
            unit_id=_unit_id(unit),
            by=None,
            at=clock.now(),
            until=until.date() if until else OPEN_END,
        )
    where = f" on {unit}" if unit else ""
    click.echo(f"{staff_number} {'is now' if made else 'was already'} {role}{where}.")


@bp.cli.command("revoke")
@click.argument("staff_number")
@click.argument("role", type=click.Choice([str(role) for role in Role]))
@click.option("--unit", help="Path of the unit for which it was granted.")
def revoke_role(staff_number: str, role: str, unit: str | None) -> None:
    """Revoke ROLE from the person with STAFF_NUMBER, at once; their sessions end."""
    with exit_if_refused(counted=False), transaction():
        ended = grants.revoke_role(
            person_by_staff_number(staff_number),
            Role(role),
            unit_id=_unit_id(unit),
            by=None,
            at=clock.now(),
        )
    where = f" on {unit}" if unit else ""
    click.echo(f"{staff_number} {'is no longer' if ended else 'was not'} {role}{where}.")


def _unit_id(path: str | None) -> int | None:
    """The unit of the path; an empty path is a mistake, not the whole force."""
    return None if path is None else unit_by_path(path, clock.today())


@bp.cli.command("subject-access")
@click.argument("staff_number")
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: its name ends in .pdf (to read) or .json (for a program).",
)
def write_subject_access(staff_number: str, output: Path) -> None:
    """Write a copy of everything held about STAFF_NUMBER, to answer their subject access request.

    Nobody else is named in it. Only the user who runs this can read the file.
    """
    form: Form = "json" if output.suffix == ".json" else "pdf"
    if output.suffix not in {".json", ".pdf"}:
        raise click.BadParameter("its name ends in .pdf or .json", param_hint="--output")
    try:
        with transaction():
            person_id = person_by_staff_number(staff_number)
            file, content = make_copy(person_id, form, by=None, at=clock.now())
            output.unlink(missing_ok=True)
            output.touch(mode=0o600)
            output.write_bytes(content)
    except OSError as error:
        exit_refused(RuleError(str(error)), counted=False)
    except PortalError as error:
        exit_refused(error, counted=False)
    click.echo(f"Wrote {plural(file.rows, 'entry', 'entries')} about {staff_number} to {output}.")
    click.echo("Have your data protection officer read it before it is handed over.")


@bp.cli.command("erase-texts")
@click.argument("staff_number")
@click.option("--dry-run", is_flag=True, help="Say how much would be erased, and erase nothing.")
def erase_texts(staff_number: str, dry_run: bool) -> None:
    """Erase every text that STAFF_NUMBER wrote in assessments and cases: reasons, words of reports.

    Answers, marks, passes and their references stay as they are. Whatever is left in backups made before
    goes with them. Refused while a legal hold covers the person or the texts.
    """
    with exit_if_refused(counted=False), transaction():
        person_id = person_by_staff_number(staff_number)
        if dry_run:
            found = services.count_written_texts(person_id)
        else:
            found = retention_services.erase_texts(person_id)
    if not found.texts:
        click.echo(f"{staff_number}: there is no text to erase.")
        return
    done = "would be erased" if dry_run else "erased"
    click.echo(f"{staff_number}: {plural(found.texts, 'text')} in {plural(found.answers, 'answer')} {done}.")
    click.echo("Answers, marks and passes stay as they are. Backups made before still hold the texts.")
