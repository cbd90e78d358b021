"""The command of people that erases what a learner wrote."""

import click
from flask import Blueprint

from portal.commands.people import bp as people
from portal.commands.people import refuse
from portal.domain.assessment import text_erasure
from portal.domain.people.queries import person_by_staff_number
from portal.platform.db import transaction
from portal.platform.errors import PortalError
from portal.platform.wording import plural

bp = Blueprint("assessment_commands", __name__, cli_group=None)


@people.cli.command("erase-texts")
@click.argument("staff_number")
@click.option("--dry-run", is_flag=True, help="Say how much would be erased, and erase nothing.")
def erase_texts(staff_number: str, dry_run: bool) -> None:
    """Erase every text that STAFF_NUMBER wrote in assessments: reasons in scenarios, words of reports.

    Answers, marks, passes and their references stay as they are. Whatever is left in backups made before
    goes with them.
    """
    try:
        with transaction():
            person_id = person_by_staff_number(staff_number)
            found = (
                text_erasure.written_by(person_id)
                if dry_run
                else text_erasure.erase_texts(person_id, by=None)
            )
    except PortalError as error:
        refuse(error)
    if not found.texts:
        click.echo(f"{staff_number}: there is no text to erase.")
        return
    done = "would be erased" if dry_run else "erased"
    click.echo(f"{staff_number}: {plural(found.texts, 'text')} in {plural(found.answers, 'answer')} {done}.")
    click.echo("Answers, marks and passes stay as they are. Backups made before still hold the texts.")
