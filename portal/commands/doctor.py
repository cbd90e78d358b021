"""Command ``doctor``: what is right with a set-up, what is wrong, and what to do about it."""

import click
from flask import Blueprint

from portal.platform.wording import plural

bp = Blueprint("doctor_commands", __name__, cli_group=None)


@bp.cli.command("doctor")
def doctor() -> None:
    """Check database, driver, clock, jobs, disk, permissions, fonts, mail, sign-in, returns, proxy and more.

    Then what officers need to learn: roster, content, ways to sign in, a directive. Nothing is changed.

    Ends with 1 if there is a problem, with 2 if a setting is wrong. Run it as the user who runs the server.
    """
    from portal.domain.directives.first_steps import examine_first_steps  # all 9 MiB, unused in a server
    from portal.platform.backups.set_up import examine_backups
    from portal.platform.operations.doctor import State, examine_set_up

    findings = examine_set_up()
    if findings[0].state == State.RIGHT:  # there is a database to ask
        findings += [*examine_backups(), *examine_first_steps()]
    for finding in findings:
        click.echo(f"{finding.state:8}{finding.subject}: {finding.sentence}")
    problems = sum(finding.state == State.WRONG for finding in findings)
    if problems:
        raise click.ClickException(f"{plural(problems, 'problem')}.")
