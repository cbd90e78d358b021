"""Examines a set-up as an operator would: what is right, what is wrong, and what to do about it.

Settings that are wrong are reported before this begins, by the settings themselves. Nothing is changed: the
relay gets no mail, the provider no sign-in, and the database is only read.
"""

import errno
import os
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from config import Config, current_settings
from portal.platform import clock, presence
from portal.platform.db import db
from portal.platform.documents.fonts import list_missing_packages
from portal.platform.mail import Relay, RelayError, connect_relay
from portal.platform.openid.claims import ProviderUnavailableError
from portal.platform.operations import readiness
from portal.platform.operations.readiness import SchemaWatch
from portal.platform.processes import is_socket_handed_over

LEAST_FREE = 1024**3  # bytes, beside room for a copy of an embedded database: a restore makes one
ANSWER_SECONDS = 5
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"}
MOUNTS = Path("/proc/mounts")


class State(StrEnum):
    """How a check ended, as the command prints it."""

    RIGHT = "OK"
    NOTE = "NOTE"  # works, but somebody may expect more
    WRONG = "PROBLEM"


@dataclass(frozen=True, slots=True)
class SetUpFinding:
    """What one check found, in a sentence; of a problem it says what to do."""

    state: State
    subject: str
    sentence: str


def examine_set_up() -> list[SetUpFinding]:
    """Every finding about the running settings; checks that need a database are left out without one."""
    config = current_settings()
    findings = [_examine_database()]
    if findings[0].state == State.RIGHT:
        findings += [_examine_clock(), _examine_jobs()]
    if not _is_embedded(config):
        findings.append(_examine_driver())
    findings += [*_examine_folder(config), _examine_disk(config), _examine_fonts(), _examine_mail(config)]
    if config.oidc_issuer:
        findings.append(_examine_provider(config))
    return [*findings, *_examine_features(config), _examine_proxy(config), _examine_address(config)]


def _examine_database() -> SetUpFinding:
    if reason := readiness.reason_against_database():
        return SetUpFinding(State.WRONG, "database", reason)
    is_embedded = db.engine.dialect.name == "sqlite"
    version = db.session.scalar(text("SELECT sqlite_version()" if is_embedded else "SHOW server_version"))
    name = "SQLite" if is_embedded else "PostgreSQL"
    return SetUpFinding(State.RIGHT, "database", f"{name} {version}, at the newest migration.")


def _examine_driver() -> SetUpFinding:
    from psycopg import pq  # 9 MiB, which are not loaded beside SQLite

    how = " docs/operating/release.md says how to build its part in C against this system's libpq."
    library = f"libpq {pq.version() // 10000}.{pq.version() % 10000}"
    if pq.__impl__ == "python":
        sentence = "psycopg runs without its part in C: long files take several times as long."
    elif pq.__impl__ == "binary":
        sentence = f"psycopg brings its own {library} and OpenSSL, which this system's updates do not mend."
    else:
        return SetUpFinding(State.RIGHT, "driver", f"psycopg uses this system's {library}.")
    return SetUpFinding(State.NOTE, "driver", sentence + how)


def _examine_clock() -> SetUpFinding:
    if not readiness.stamps_agree_with_clock():
        return SetUpFinding(
            State.WRONG,
            "clock",
            "The newest record is of a later time than this machine's clock: see docs/runbook/clock.md.",
        )
    if db.engine.dialect.name != "sqlite":
        theirs: datetime = db.session.execute(text("SELECT clock_timestamp()")).scalar_one()
        apart = abs(theirs - clock.now())
        if apart > clock.MOST_AHEAD:
            return SetUpFinding(
                State.WRONG,
                "clock",
                f"This machine and the database are {apart.total_seconds():.0f} seconds apart:"
                " have both set their clocks from one time server.",
            )
    return SetUpFinding(State.RIGHT, "clock", f"It is {clock.london_time(clock.now())} in London.")


def _examine_jobs() -> SetUpFinding:
    if readiness.jobs():
        return SetUpFinding(State.RIGHT, "jobs", "No job waits for a worker.")
    return SetUpFinding(
        State.WRONG,
        "jobs",
        "A job has waited for over a minute: start the server, or with JOBS=separate a worker"
        " (flask --app wsgi jobs work).",
    )


def _examine_folder(config: Config) -> Iterator[SetUpFinding]:
    folder, subject = config.instance, "folder"
    status = folder.stat()
    if status.st_uid != os.geteuid():
        yield SetUpFinding(
            State.WRONG,
            subject,
            f"{folder} belongs to another user than the one who runs this: run commands as its owner,"
            " or the server cannot open what they write.",
        )
    elif status.st_mode & 0o077:
        yield SetUpFinding(
            State.WRONG, subject, f"Others on this machine can open {folder}: run chmod 700 {folder}"
        )
    elif _is_embedded(config) and (kind := file_system_of(folder)) in NETWORK_FILE_SYSTEMS:
        yield SetUpFinding(
            State.WRONG,
            subject,
            f"{folder} is on a network file system ({kind}), where SQLite can lose records:"
            " use a local disk, or PostgreSQL.",
        )
    else:
        yield SetUpFinding(State.RIGHT, subject, f"{folder} is for its owner alone.")


def file_system_of(folder: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system that a folder is on, as Linux names it; empty where it cannot be told.

    Args:
        folder: Absolute or not; links are followed.
        mounts: A file in the form of ``/proc/mounts``.
    """
    path, best = folder.resolve(), ("", "")
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        _, place, kind, *_ = line.split(" ")
        if path.is_relative_to(place) and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1]


def _examine_disk(config: Config) -> SetUpFinding:
    free, needed = shutil.disk_usage(config.instance).free, LEAST_FREE
    if _is_embedded(config):
        file = Path(make_url(config.sqlalchemy_url).database or "")
        needed += file.stat().st_size if file.exists() else 0
    if free < needed:
        return SetUpFinding(
            State.WRONG,
            "disk",
            f"{_in_gib(free)} are free in {config.instance}, and a restore needs {_in_gib(needed)}:"
            " make room there.",
        )
    return SetUpFinding(State.RIGHT, "disk", f"{_in_gib(free)} are free in {config.instance}.")


def _examine_fonts() -> SetUpFinding:
    if missing := " ".join(list_missing_packages()):
        sentence = "Documents show � for Chinese, Japanese, Korean or emoji: on Debian, apt-get install"
        return SetUpFinding(State.NOTE, "fonts", f"{sentence} {missing}")
    return SetUpFinding(State.RIGHT, "fonts", "Documents have fonts for names in every script.")


def _examine_mail(config: Config) -> SetUpFinding:
    if not config.smtp_host:
        return SetUpFinding(
            State.NOTE, "mail", "SMTP_HOST is not set: mail waits, and links are given by hand."
        )
    relay = Relay(
        config.smtp_host, config.smtp_port, config.smtp_tls, config.smtp_user, config.smtp_password,
        config.smtp_from, ANSWER_SECONDS, config.smtp_per_minute, config.smtp_authorities,
    )  # fmt: skip
    try:
        with connect_relay(relay):
            pass
    except RelayError as error:
        return SetUpFinding(State.WRONG, "mail", f"{error}. See docs/runbook/mail.md.")
    return SetUpFinding(State.RIGHT, "mail", f"The relay {config.smtp_host} answers; nothing was sent.")


def _examine_provider(config: Config) -> SetUpFinding:
    # Whoever only names what the doctor finds does not load what signing in takes.
    from portal.platform.openid.provider import ProviderConnection, parse_metadata, well_known_address

    address = well_known_address(config.oidc_issuer)
    try:
        parse_metadata(ProviderConnection(config.outbound_proxy).fetch_json(address), config.oidc_issuer)
    except ProviderUnavailableError as error:
        return SetUpFinding(
            State.WRONG,
            "sign-in",
            f"{address} gives no metadata that can be used ({error.reason}):"
            " check OIDC_ISSUER and the way out of this machine.",
        )
    return SetUpFinding(State.RIGHT, "sign-in", f"The provider {config.oidc_issuer} answers.")


def _examine_features(config: Config) -> Iterator[SetUpFinding]:
    for feature in config.features_on:
        for name in feature.set_up:
            yield from feature.load(name)(config)


def _examine_proxy(config: Config) -> SetUpFinding:
    if config.secure and not config.trusted_networks:
        return SetUpFinding(
            State.WRONG,
            "proxy",
            "PUBLIC_URL is https, so a proxy stands in front, but TRUSTED_PROXIES names none: everyone seems"
            " to come from one address. Set it, such as TRUSTED_PROXIES=127.0.0.1",
        )
    kind = "behind a trusted proxy" if config.trusted_networks else "without a proxy"
    return SetUpFinding(State.RIGHT, "proxy", f"The portal is served {kind}.")


def _examine_address(config: Config) -> SetUpFinding:
    import requests  # 4 MiB, for a command alone

    address = f"{config.address}/healthz"
    try:
        answer = requests.get(address, timeout=ANSWER_SECONDS, allow_redirects=False)
    except requests.exceptions.SSLError:
        return SetUpFinding(
            State.WRONG,
            "address",
            f"The certificate of {config.address} is not trusted here: renew it, or have the proxy send its"
            " whole chain.",
        )
    except requests.exceptions.RequestException as error:
        return SetUpFinding(
            State.WRONG,
            "address",
            f"Nothing answers at {config.address} ({type(error).__name__}): start the portal; if it runs,"
            " check its name in DNS and the proxy.",
        )
    if answer.status_code != 200 or "ok" not in answer.text:
        return SetUpFinding(
            State.WRONG,
            "address",
            f"Something else than the portal answers at {config.address} (status {answer.status_code}):"
            " check PUBLIC_URL and the proxy.",
        )
    return SetUpFinding(State.RIGHT, "address", f"The portal answers at {config.address}.")


def _is_embedded(config: Config) -> bool:
    return config.sqlalchemy_url.startswith("sqlite")


def _in_gib(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"


# Checks, before the server starts, whether it can serve; gives a sentence for each problem.

WAIT_SECONDS = 5  # for a database server that does not answer


def reasons_not_to_serve(config: Config) -> list[str]:
    """A sentence for each reason why the portal cannot serve; empty if it can."""
    reasons = (_reason_not_to_listen(config), _reason_not_to_read(config), _reason_not_to_start(config))
    return [reason for reason in reasons if reason]


def _reason_not_to_listen(config: Config) -> str:
    if is_socket_handed_over():
        return ""
    try:
        family, kind, _, _, address = socket.getaddrinfo(config.bind, config.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, after one that ended
            probe.bind(address)
    except socket.gaierror:
        return f"BIND: {config.bind} is no address of this machine."
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"PORT {config.port} of {config.bind} is taken: stop what listens there, or set another."
        if error.errno == errno.EACCES:
            return f"PORT {config.port} is not for this user: set one above 1023."
        return f"BIND: {config.bind} is no address of this machine."
    return ""


def _reason_not_to_start(config: Config) -> str:
    """Reason if a restore is under way; from now on none can begin until this process and its workers end.

    A server of another release than its database only says so, and does not hold up the upgrade.
    """
    try:
        SchemaWatch(config.sqlalchemy_url, config.instance, lambda: None).watch_for_server()
    except presence.RestoringError as error:
        return str(error)
    return ""


def _reason_not_to_read(config: Config) -> str:
    url = make_url(config.sqlalchemy_url)
    options = {"connect_timeout": WAIT_SECONDS} if url.get_backend_name() == "postgresql" else {}
    engine = create_engine(url, poolclass=NullPool, connect_args=options)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA schema_version")  # opens the file
    except (DBAPIError, sqlite3.Error) as error:
        cause = readiness.in_one_line(error)
        return (
            f"DATABASE_URL: the database cannot be opened ({cause}). Is it running, and is the address right?"
        )
    finally:
        engine.dispose()
    return ""
