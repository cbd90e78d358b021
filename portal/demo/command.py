"""Commands: the fictional force."""

import click
from flask import Blueprint, current_app
from flask_migrate import upgrade

from config import ROOT, Config
from portal.demo import events_exercise, events_types, names, waiting
from portal.demo.create import create_force, is_empty_database
from portal.domain.catalogue import services as catalogue
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import PortalError, RuleError

MODULES = ROOT / "modules"

bp = Blueprint("demo_commands", __name__, cli_group="demo")


@bp.cli.command("create")
@click.option("--people", type=click.IntRange(20, 20_000), default=600, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def create(people: int, seed: int) -> None:
    """Make the fictional force in an empty database."""
    try:
        _create_force(people, seed, _demo_config())
    except PortalError as error:
        raise click.ClickException(str(error)) from error


@bp.cli.command("prepare")
def prepare() -> None:
    """Bring the demo up: migrate, publish the modules, make the force once, and print the sign-ins."""
    try:
        config = _demo_config()
        upgrade()
        if is_empty_database():
            _create_force(600, 1, config)
            with transaction():
                waiting.create_drafts("D3001", at=clock.now())
                waiting.ask_for_deferral("D2001", at=clock.now())
        else:
            with transaction():
                catalogue.publish_folder(MODULES, at=clock.now())
                events_types.publish_types()
                events_exercise.publish_exercises(MODULES.parent / "exercises", clock.now())
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    config.mark_demo()
    click.echo(_sign_ins(config))


def _create_force(people: int, seed: int, config: Config) -> None:
    create_force(people, seed, config.demo_password, MODULES, lambda line: click.echo(line, err=True))


def _demo_config() -> Config:
    config: Config = current_app.config["PORTAL"]
    if config.mode != "demo":
        raise RuleError("The fictional force is made only where PORTAL_MODE is demo.")
    return config


def _sign_ins(config: Config) -> str:
    lines = [f"  {row[0]}  {row[6] or 'learner':16} {row[3]} {row[2]} {row[1]}" for row in names.ACCOUNTS]
    return "\n".join(
        [
            "",
            f"{names.FORCE} is fictional. Sign in at {config.address}/sign-in with one of",
            *lines,
            _second_half(config),
            "",
        ]
    )


def _second_half(config: Config) -> str:
    if config.passwords_for_everyone:
        return f"and the password  {config.demo_password}"
    return (
        f"at {config.provider_label}, which asks for no password; administrators also with the password  "
        f"{config.demo_password}"
    )
