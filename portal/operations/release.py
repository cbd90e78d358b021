"""Commands meet the database of another release with a sentence, and wrong settings as well."""

import sqlite3
import sys
from collections.abc import Callable, Iterable
from functools import cache, update_wrapper
from typing import IO, Any

import click
from flask import Blueprint, Flask
from flask.cli import with_appcontext
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from config import ConfigError
from portal.db import db
from portal.extensions import migrate
from portal.operations import checks

UPGRADE = "run flask --app wsgi db upgrade"
# These mend or make the database, or do without it.
ANY_RELEASE = frozenset({"backup", "restore", "prepare", "check", "table"})


class SettingsError(click.ClickException):
    """Wrong settings, a sentence each on standard error; leaves with 2, as a command typed wrongly does."""

    exit_code = 2

    def __init__(self, error: ConfigError) -> None:
        super().__init__("\n".join(error.sentences))

    def show(self, file: IO[Any] | None = None) -> None:
        """Say them, one a line."""
        click.echo(self.message, file=file, err=True)


def application_without_settings(error: ConfigError, commands: Iterable[Blueprint]) -> Flask:
    """What the command line gets where settings are wrong: an application that can only show its commands.

    Raises:
        ConfigError: It is not the command line that asks.
        SettingsError: Something else than help was typed.
    """
    if click.get_current_context(silent=True) is None:
        raise error
    if "--help" not in sys.argv:
        raise SettingsError(error)
    app = Flask("portal", static_folder=None)
    migrate.init_app(app, db)
    for blueprint in commands:
        app.register_blueprint(blueprint)
    return app


@cache
def refuse_other_releases(group: click.Group) -> None:
    """Let no command of the group run on a database that is not of this release, but those that may."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            refuse_other_releases(command)
        elif name not in ANY_RELEASE and command.callback is not None:
            command.callback = _checked(command.callback)


def _checked(callback: Callable[..., Any]) -> Callable[..., Any]:
    @with_appcontext
    def run(*arguments: Any, **options: Any) -> Any:
        if why := why_not_this_release():
            raise click.ClickException(why)
        return callback(*arguments, **options)

    return update_wrapper(run, callback)


def why_not_this_release() -> str:
    """Why commands cannot use the database, a sentence; empty where it stands at the newest migration."""
    try:
        held = checks.revisions()
        empty = not held and not inspect(db.engine).get_table_names()
    except (DBAPIError, sqlite3.Error) as error:
        return f"The database cannot be used: {checks.in_one_line(error)}."
    finally:
        db.session.rollback()
    if held == {checks.head()}:
        return ""
    if empty:
        return f"The database is empty: {UPGRADE}"
    if unknown := held - checks.known_revisions():
        return f"The database is of a newer release ({', '.join(unknown)}): install that release."
    return f"The database is of an older release: {UPGRADE}"
