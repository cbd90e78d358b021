"""Commands: returns export and import; keys make and show; forces add, key, end-key and list; period."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import Blueprint

from config import Config, current_settings
from portal.commands.refusals import exit_if_refused, exit_refused
from portal.domain.directives.queries import list_directives
from portal.features.returns.building import (
    find_comparison_key,
    find_own_public_key,
    load_own_key,
    own_short_name,
    refuse_unless_coordinator,
)
from portal.features.returns.comparisons import COMPARISON_FORMAT, keep_comparison
from portal.features.returns.queries import list_forces, list_keys
from portal.features.returns.services import (
    ReturnRefusedError,
    StatedForce,
    add_key,
    ask_for_returns,
    end_key,
    keep_own_return,
    log_refused_return,
    prepare_own_return,
    receive_return,
    register_force,
)
from portal.platform import clock
from portal.platform.db import read_stamps, transaction
from portal.platform.errors import BadInputError, PortalError, RuleError
from portal.platform.signing.documents import read_document
from portal.platform.signing.keys import (
    SigningKeyError,
    load_private_key,
    make_key_file,
    take_fingerprint,
    write_public_key,
)
from portal.platform.wording import plural

if TYPE_CHECKING:
    from portal.platform.operations.doctor import SetUpFinding

bp = Blueprint("returns_commands", __name__, cli_group="returns")

_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FROM = click.option(
    "--from", "from_on", default="", help="The day from which it is true; today if left out."
)


@bp.cli.command("export")
@click.option("--period", required=True, help="A month that has ended, such as 2026-04.")
@click.option(
    "--directive", "reference", default="", help="Its reference; needed if there are several directives."
)
@click.option(
    "--hide-small",
    is_flag=True,
    help="Hide small numbers: show what the FOI pack of that day shows, and no more.",
)
@click.option(
    "--reason",
    default="",
    help="Why you make it again; needed if you made one of this month on this directive before.",
)
@click.option("--dry-run", is_flag=True, help="Say what the return would hold; write and keep nothing.")
@click.argument("file", type=_NEW_FILE)
def export_return(
    period: str, reference: str, hide_small: bool, reason: str, dry_run: bool, file: Path
) -> None:
    """Make this force's return of a month, keep it, and write it to FILE, which must be new."""
    with exit_if_refused():
        if file.exists():
            raise BadInputError([f"{file} is there already. Name a new file."])
        now, newest = clock.now(), read_stamps()[0]
        content = prepare_own_return(
            reference or _only_directive(), period, hide=hide_small, now=now, newest=newest
        )
        with transaction(dry_run=dry_run):
            made = keep_own_return(content, load_own_key(), at=now, by=None, reason=reason)
            number, written = made.number, made.row.content
    whole = content.counts[0]
    click.echo(
        f"Return {number} of {content.period} for {content.directive}: "
        f"{plural(whole.assigned or 0, 'person', 'people')} assigned, "
        f"{plural(len(content.counts), 'line')}."
    )
    if dry_run:
        click.echo("Nothing was kept or written.")
        return
    try:
        with file.open("xb") as target:
            target.write(written)
    except OSError as error:
        raise click.ClickException(
            f"{file} cannot be written: {error.strerror}. The return is kept: download it at /returns."
        ) from error
    click.echo(f"Written to {file}.")


def _only_directive() -> str:
    references = [directive.reference for directive in list_directives()]
    if len(references) != 1:
        raise RuleError(f"Name one with --directive: {', '.join(references) or 'there is none'}.")
    return references[0]


@bp.cli.command("import")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Check it, and keep nothing.")
def import_file(file: Path, dry_run: bool) -> None:
    """Receive a force's return at the coordinating unit, or load a comparison at a force; FILE says which."""
    with exit_if_refused():
        content = file.read_bytes()
        if read_document(content).get("format") == COMPARISON_FORMAT:
            key = find_comparison_key()
            with transaction(dry_run=dry_run):
                outcome = f"Comparison of {keep_comparison(content, key, at=clock.now(), by=None)}"
        else:
            outcome = _receive_return(content, dry_run)
    click.echo(f"{outcome}: no faults{', nothing was kept' if dry_run else ''}.")


def _receive_return(content: bytes, dry_run: bool) -> str:
    refuse_unless_coordinator()
    try:
        with transaction(dry_run=dry_run):
            received = receive_return(content, at=clock.now(), by=None)
    except ReturnRefusedError as error:
        if not dry_run:
            with transaction():
                log_refused_return(error, by=None)
        raise
    for note in received.notes:
        click.echo(note)
    repeated = " had come before" if received.was_known else ""
    return f"Return {received.number} of {received.period} from {received.force}{repeated}"


@bp.cli.group("keys")
def keys() -> None:
    """The key with which this force signs its returns."""


@keys.command("make")
@click.argument("file", type=_NEW_FILE, required=False)
def make_key(file: Path | None) -> None:
    """Make a key in FILE, or where RETURN_KEY_FILE says. A key that is there is never overwritten."""
    settings = current_settings()
    path = file or settings.returns.find_key_file(settings.mode, settings.instance)
    try:
        if path is None:
            raise BadInputError(["Name a file, and set RETURN_KEY_FILE to its path afterwards."])
        public_key = write_public_key(make_key_file(path))
    except SigningKeyError as error:
        exit_refused(BadInputError([f"{path} {error}."]))
    except PortalError as error:
        exit_refused(error)
    click.echo(f"Written to {path}, for its owner alone. Keep a copy apart from backups.")
    _print_key(public_key)


@keys.command("show")
def show_key() -> None:
    """Show the public key, its fingerprint, and the short name that this force's returns have."""
    public_key = find_own_public_key()
    if not public_key:
        with exit_if_refused():
            load_own_key()
    click.echo(f"Short name: {own_short_name()}")
    _print_key(public_key)


def _print_key(public_key: str) -> None:
    click.echo(f"Public key: {public_key}\nFingerprint: {take_fingerprint(public_key)}")


@bp.cli.group("forces")
def forces() -> None:
    """The forces whose returns a coordinating unit receives."""


@forces.command("add")
@click.argument("key")
@click.argument("name")
@click.option(
    "--headcount", type=click.IntRange(1, 1_000_000), required=True, help="How many people work there."
)
@_FROM
def add_force(key: str, name: str, headcount: int, from_on: str) -> None:
    """Register a force under the short name KEY, which it keeps for ever."""
    with exit_if_refused():
        refuse_unless_coordinator()
        stated = StatedForce(name, headcount, _read_day(from_on))
        with transaction():
            register_force(key, stated, at=clock.now(), by=None)
    click.echo(f"{key} is registered. Register its public key next.")


@forces.command("key")
@click.argument("key")
@click.argument("public_key")
@click.option("--fingerprint", required=True, help="As the force read it out: 32 characters or more.")
@_FROM
def add_force_key(key: str, public_key: str, fingerprint: str, from_on: str) -> None:
    """Register PUBLIC_KEY for the force KEY, once the force has read its fingerprint out to you."""
    with exit_if_refused():
        refuse_unless_coordinator()
        with transaction():
            day = _read_day(from_on)
            add_key(key, public_key, read_out=fingerprint, from_on=day, at=clock.now(), by=None)
    click.echo(f"The key of {key} is registered.")


@forces.command("end-key")
@click.argument("key")
@click.argument("fingerprint")
@_FROM
def end_force_key(key: str, fingerprint: str, from_on: str) -> None:
    """End a key of the force KEY: returns signed with it are refused from that day on."""
    with exit_if_refused():
        refuse_unless_coordinator()
        with transaction():
            end_key(key, fingerprint, from_on=_read_day(from_on), at=clock.now(), by=None)
    click.echo(f"The key of {key} is ended.")


@forces.command("list")
def list_all() -> None:
    """List the forces: short name, name, workforce, and how many keys are valid today."""
    with exit_if_refused():
        refuse_unless_coordinator()
    today, keys_by_force = clock.today(), list_keys()
    for force in list_forces(today):
        valid = sum(key.is_valid_on(today) for key in keys_by_force.get(force.id, []))
        click.echo(f"{force.key}: {force.name}, {force.headcount:,} people, {plural(valid, 'key')}")


@bp.cli.command("period")
@click.argument("period")
@click.option("--due", required=True, help="The last day on which a return is on time.")
def ask_for_period(period: str, due: str) -> None:
    """Ask every force for its return of PERIOD, such as 2026-04, or change the day by which it is due."""
    with exit_if_refused():
        refuse_unless_coordinator()
        with transaction():
            ask_for_returns(period, _read_day(due), at=clock.now(), by=None)
    click.echo(f"Every force is asked for its return of {period}.")


def _read_day(text: str) -> date:
    day = clock.read_day(text) if text else clock.today()
    if day is None:
        raise BadInputError(["Enter a day, such as 2026-05-12."])
    return day


def examine_key(config: Config) -> Iterator["SetUpFinding"]:
    """Whether returns can be signed; a key that is set and cannot be used stops the start."""
    from portal.platform.operations.doctor import SetUpFinding, State  # large, and unused in a server

    subject, coordinates = "returns", config.returns.is_coordinator(config.mode)
    also = "; this portal receives those of all forces" if coordinates else ""
    path = config.returns.find_key_file(config.mode, config.instance)
    if path is None or not path.exists():
        sentence = f"There is no key, so no return can be made (flask returns keys make){also}."
        yield SetUpFinding(State.NOTE, subject, sentence)
        return
    try:
        fingerprint = take_fingerprint(write_public_key(load_private_key(path)))
    except SigningKeyError as error:
        yield SetUpFinding(State.WRONG, subject, f"{path} {error}.")
        return
    name = config.returns.name_force(config.force_name)
    sentence = f"They are signed as {name} with the key {fingerprint[:16]}…{also}."
    yield SetUpFinding(State.RIGHT, subject, sentence)
