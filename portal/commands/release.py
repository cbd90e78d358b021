"""Refuses commands, with a sentence, if the settings are wrong or the database is of another release."""

import platform
import sys
import tomllib
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import cache, update_wrapper
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import click
from alembic.config import Config as AlembicConfig
from flask import Blueprint, Flask
from flask.cli import with_appcontext
from flask_migrate import Migrate
from sqlalchemy.exc import InterfaceError, OperationalError

from config import ConfigError
from portal.feature import load_models
from portal.platform.audit import Channel, Origin, login_name, new_request_id, originating_from
from portal.platform.db import db
from portal.platform.observability.statements import log_none
from portal.platform.operations import readiness

migrate = Migrate(directory=str(readiness.MIGRATIONS), render_as_batch=False)


def _compare_every_table(config: AlembicConfig) -> AlembicConfig:
    """Load the tables of features that are off, too: they stay in the database."""
    load_models()
    return config


migrate.configure(_compare_every_table)


# Commands that repair or create the database, or do not need it.
ANY_RELEASE = frozenset("backup check doctor fetch new-key prepare restore stored version".split())
PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"  # says the version; a wheel has its metadata


class SettingsError(click.ClickException):
    """Wrong settings, one sentence each on standard error; exits with 2, as for a usage error."""

    exit_code = 2

    def __init__(self, error: ConfigError) -> None:
        super().__init__("\n".join(error.sentences))

    def show(self, file: IO[Any] | None = None) -> None:
        """Print them, one a line."""
        click.echo(self.message, file=file, err=True)


def application_without_settings(error: ConfigError, commands: Iterable[Blueprint]) -> Flask:
    """An application that can only list its commands, for the command line when settings are wrong.

    Raises:
        ConfigError: The caller is not the command line.
        SettingsError: The command asks neither for help nor for the version.
    """
    if click.get_current_context(silent=True) is None:
        raise error
    if "--help" not in sys.argv and sys.argv[-1] != "version":
        raise SettingsError(error)
    app = Flask("portal", static_folder=None)
    migrate.init_app(app, db)
    for blueprint in commands:
        app.register_blueprint(blueprint)
    return app


def list_versions() -> list[tuple[str, str]]:
    """Names and versions of what runs, the portal's first."""
    if PROJECT.exists():
        portal = tomllib.loads(PROJECT.read_text())["project"]["version"]
    else:
        portal = metadata.version("portal")
    needed = [(name, metadata.version(name)) for name in ("Flask", "Werkzeug")]
    return [("Portal", portal), ("Python", platform.python_version()), *needed]


@cache
def refuse_other_releases(group: click.Group) -> None:
    """Make commands of the group, except ``ANY_RELEASE``, refuse a database of another release."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            refuse_other_releases(command)
        elif name not in ANY_RELEASE and command.callback is not None:
            command.callback = check_release_first(command.callback)


def check_release_first(callback: Callable[..., Any], *, may_be_older: bool = False) -> Callable[..., Any]:
    """A command that refuses a database of another release, or only one that cannot be upgraded."""

    @with_appcontext
    def run(*arguments: Any, **options: Any) -> Any:
        if reason := readiness.reason_against_database(may_be_older=may_be_older):
            raise click.ClickException(reason)
        return callback(*arguments, **options)

    return update_wrapper(run, callback)


@cache
def state_command_origins(group: click.Group) -> None:
    """Make each command of the group state its origin: its words, and who signed in to this machine.

    Where the database cannot be used meanwhile, the command ends with a sentence that says so.
    """
    for command in group.commands.values():
        if isinstance(command, click.Group):
            state_command_origins(command)
        elif command.callback is not None:
            command.callback = _state_origin_first(command.callback)


def _state_origin_first(callback: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any, **options: Any) -> Any:
        words = click.get_current_context().command_path.split()[1:]
        agent = f"{' '.join(words)} ({login_name()})"
        serves = words[:1] == ["jobs"]  # its output is the server's log
        with (
            originating_from(Origin(Channel.COMMAND, agent, request_id=new_request_id())),
            nullcontext() if serves else log_none(),
        ):
            try:
                return callback(*arguments, **options)
            except (OperationalError, InterfaceError) as error:  # out of reach, or went away meanwhile
                raise click.ClickException(readiness.sentence_of_database_error(error)) from error

    return update_wrapper(run, callback)
