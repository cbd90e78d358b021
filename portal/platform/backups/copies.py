"""Copies of the whole database: made by its own means, sealed, described and compared."""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from portal.platform import clock
from portal.platform.db import db
from portal.platform.engines import prepare_engine
from portal.platform.errors import RuleError
from portal.platform.operations.readiness import MIGRATIONS

# Backs up the whole database, by the database's own means.
#
# SQLite's online backup and PostgreSQL's dump both read one consistent state while others write.

UNWRITABLE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
POSTGRESQL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"


@dataclass(frozen=True, slots=True)
class BackupFile:
    """What a backup file holds."""

    size: int  # bytes
    newest_stamp: str | None  # the newest fact in it, as the database writes it
    counts: dict[str, int]  # rows of each table in it


def backup(file: Path) -> BackupFile:
    """Write the database to ``file``, which then stands whole or not at all."""
    if file.exists():
        raise RuleError(f"{file} exists: name a file that does not.")
    if not file.parent.is_dir():
        raise RuleError(f"{file.parent} is not a folder.")
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.touch(mode=0o600)
        try:
            newest, counts = _backup_sqlite(partial) if is_sqlite() else _backup_postgresql(partial)
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise RuleError(f"{file} cannot be written: {error.strerror}. No backup was made.") from error
    return BackupFile(file.stat().st_size, newest, counts)


def is_sqlite() -> bool:
    """Whether the portal's database is the embedded one."""
    return bool(db.engine.dialect.name == "sqlite")


def database_file() -> Path:
    """Path of the embedded database."""
    return Path(make_url(str(db.engine.url)).database or "")


def _backup_sqlite(target: Path) -> tuple[str | None, dict[str, int]]:
    try:
        with closing(sqlite3.connect(database_file())) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)  # one pass: a consistent state of one instant
            copy.execute("PRAGMA journal_mode = DELETE")
            newest: str | None = copy.execute("SELECT max(recorded_at) FROM stamp").fetchone()[0]
            return newest, count_rows(lambda statement: copy.execute(statement).fetchall(), SQLITE_TABLES)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in UNWRITABLE:
            raise RuleError(f"{target.parent} cannot be written ({error}): no backup was made.") from error
        raise RuleError(f"The database cannot be read ({error}): no backup was made.") from error


def _backup_postgresql(target: Path) -> tuple[str | None, dict[str, int]]:
    """The dump reads the very state that is counted here: both see one snapshot."""
    with db.engine.connect() as connection:  # which reads one state, to its end
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        newest: str | None = connection.scalar(text("SELECT max(recorded_at)::text FROM stamp"))
        counts = count_rows(lambda statement: connection.execute(text(statement)).all(), POSTGRESQL_TABLES)
        words = ("--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={target}")
        run_tool(db.engine.url, "pg_dump", *words)
    return newest, counts


def count_rows(read: Callable[[str], Sequence[Any]], tables: str) -> dict[str, int]:
    """The number of rows of each table.

    Args:
        read: Gives the rows of a statement.
        tables: The statement that lists the tables: ``SQLITE_TABLES`` or ``POSTGRESQL_TABLES``.
    """
    names = sorted(name for (name,) in read(tables))
    return {name: read(f'SELECT count(*) FROM "{name}"')[0][0] for name in names}  # noqa: S608 - listed


def run_tool(url: URL, name: str, *words: str) -> str:
    """Run a tool of PostgreSQL's client on the database of ``url`` and return its output.

    The password is passed in the environment, which only the same user can read: every user of the machine
    can see the command line.
    """
    query = {name: value for name, value in url.query.items() if name != "password"}
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    address = f"--dbname={plain.render_as_string(hide_password=False)}"
    password = url.password or url.query.get("password")
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run(  # noqa: S603 - no shell
        [_find_tool(name), address, *words], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        cause = done.stderr.strip() or f"it ended with {done.returncode}, without a word"
        raise RuleError(f"{name} failed: {cause}")
    return done.stdout


def tool_version(name: str) -> int:
    """Of which version of PostgreSQL a tool is.

    Raises:
        RuleError: It is missing.
    """
    tool = _find_tool(name)
    done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.search(r"\d+", done.stdout)
    return int(version[0]) if version else 0


def _find_tool(name: str) -> str:
    tool = shutil.which(name)
    if tool is None:
        raise RuleError(f"{name} is not installed: it comes with PostgreSQL's client.")
    return tool


# What a scheduled backup holds, in a file of JSON beside it: written last, removed first.
#
# So a backup is whole where its manifest stands, and a file without one is never taken for a backup.

FORMAT = 1
SUFFIX = ".json"
NAME = re.compile(r"portal-(\d{8}T\d{6}Z)\.backup(?:\.age)?")
PARTIAL = re.compile(r"\.portal-\d{8}T.*\.partial")
PART = 1024**2  # bytes read at once
LONGEST = 1024**2  # bytes of a manifest that are read: one has a line for each table
_TYPES: dict[str, tuple[type, ...]] = {  # of the values in the file
    **dict.fromkeys(("name", "taken_at", "sha256", "database", "revision", "newest_stamp"), (str,)),
    "seconds": (int, float),
    "size": (int,),
    "encrypted": (bool,),
    "counts": (dict,),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one backup holds, and by which its file and its restored copy are judged."""

    name: str  # of its file, in the same folder
    taken_at: datetime  # nothing recorded before is missing in it
    seconds: float  # that it took
    size: int  # bytes of the file
    sha256: str  # of the file, in hexadecimal
    database: str  # sqlite or postgresql
    encrypted: bool
    revision: str  # of the schema
    newest_stamp: str  # the newest fact in it, as the database writes it; empty: there is none
    counts: dict[str, int]  # rows of each table

    @property
    def file_name(self) -> str:
        """The name of the manifest's own file."""
        return f"{self.name}{SUFFIX}"

    def to_json(self) -> str:
        """The text of the file."""
        values = {"format": FORMAT, **asdict(self), "taken_at": clock.format_utc(self.taken_at)}
        return json.dumps(values, indent=1) + "\n"


def parse_manifest(content: bytes, name: str) -> Manifest | None:
    """The manifest that a file of this name holds; None if it is none, or is another backup's."""
    try:
        values: dict[str, Any] = json.loads(content, parse_constant=int)  # which refuses NaN and Infinity
        if values.pop("format") != FORMAT or f"{values['name']}{SUFFIX}" != name:
            return None
        numbers = values["counts"].values()
        if any(type(values[key]) not in _TYPES[key] for key in values) or not {*map(type, numbers)} <= {int}:
            return None
        taken_at = datetime.fromisoformat(values["taken_at"])
        if not NAME.fullmatch(values["name"]) or taken_at.tzinfo is None:
            return None
        return Manifest(**values | {"taken_at": taken_at.astimezone(UTC)})
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def name_backup(taken_at: datetime, *, encrypted: bool) -> str:
    """The name of the file of a backup; names sort by time."""
    return f"portal-{taken_at.astimezone(UTC):%Y%m%dT%H%M%SZ}.backup{'.age' * encrypted}"


def list_incomplete(names: Iterable[str]) -> list[str]:
    """Of the names in a folder, what a backup left that was cut off: parts, and files without a manifest."""
    present = set(names)
    return sorted(
        name
        for name in present
        if PARTIAL.fullmatch(name) or (NAME.fullmatch(name) and f"{name}{SUFFIX}" not in present)
    )


def hash_file(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as read:
        while part := read.read(PART):
            digest.update(part)
    return digest.hexdigest()


def refuse_changed(file: Path, manifest: Manifest) -> None:
    """Refuse a file that is not the one its manifest describes."""
    if file.stat().st_size != manifest.size or hash_file(file) != manifest.sha256:
        raise RuleError(f"{file} is not what {manifest.file_name} beside it says: it is damaged or cut off.")


def manifest_beside(file: Path) -> Manifest | None:
    """The manifest of this file; None if none stands beside it."""
    beside = file.with_name(file.name + SUFFIX)
    if beside.exists() and not beside.is_file():
        raise RuleError(f"{beside} is not a file: remove it, or put the backup's manifest there.")
    try:
        return parse_manifest(read_without_waiting(beside), beside.name)
    except OSError:
        return None


def read_without_waiting(file: Path) -> bytes:
    """What a small file holds; where a pipe stands in its place, nobody is waited for."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as read:
        return read.read(LONGEST) or b""


def write_durably(target: Path, content: bytes) -> None:
    """Write a small file, which then stands whole or not at all, whatever happens meanwhile."""
    partial = target.with_name(f".{target.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    partial.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder to the disk, so that new names in it survive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# Encrypts backups to public keys in the format of age, and opens them with an identity.
#
# The server needs the public key alone, so whoever takes its backups can read none of them. Identities
# are those of ``age-keygen``: a line that begins with AGE-SECRET-KEY-1.

MAGIC = b"age-encryption.org/"


class WrongIdentityError(RuleError):
    """There is no identity, or it is not of the key to which the backup is encrypted."""


def is_encrypted(file: Path) -> bool:
    """Whether the file is in the format of age."""
    with file.open("rb") as read:
        return read.read(len(MAGIC)) == MAGIC


def encrypt_file(source: Path, target: Path, public_keys: tuple[str, ...]) -> None:
    """Write what ``source`` holds to ``target``, for whoever has the identity of one of the keys.

    Raises:
        RuleError: A key is none.
        OSError: It cannot be written, such as on a full disk.
    """
    recipients = refuse_bad_keys(public_keys)
    with source.open("rb") as read, target.open("wb") as written:
        try:
            pyrage.encrypt_io(read, written, recipients)
        except pyrage.EncryptError as error:
            raise OSError(str(error).removeprefix("OSError: ")) from error
        written.flush()
        os.fsync(written.fileno())


def refuse_bad_keys(public_keys: tuple[str, ...]) -> list[pyrage.x25519.Recipient]:
    """The public keys, read."""
    try:
        return [pyrage.x25519.Recipient.from_str(key) for key in public_keys]
    except pyrage.RecipientError as error:
        raise RuleError("BACKUP_PUBLIC_KEYS lists a key that was not copied right: copy it again.") from error


def decrypt_file(source: Path, target: Path, identity_file: Path) -> None:
    """Write what an encrypted file holds to ``target``, for its owner alone.

    Raises:
        RuleError: There is no identity in the identity file, it opens another's backups, or the file is
            damaged; then there is no target.
    """
    identities = read_identities(identity_file)
    written: BinaryIO
    try:
        with source.open("rb") as read, os.fdopen(_create_private_file(target), "wb") as written:
            pyrage.decrypt_io(read, written, identities)
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, pyrage.DecryptError | OSError):
            raise _refusal_of(error, source, identity_file) from error
        raise


def read_identities(file: Path) -> list[pyrage.x25519.Identity]:
    """The identities of a file, one a line; lines that begin with # do not count.

    Raises:
        RuleError: The file cannot be read, or holds none.
    """
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        identities = [pyrage.x25519.Identity.from_str(line) for line in lines if line and line[0] != "#"]
    except (OSError, ValueError, pyrage.IdentityError):
        identities = []
    if not identities:
        raise WrongIdentityError(
            f"{file} is no identity file: it holds a line that begins with AGE-SECRET-KEY-1."
        )
    return identities


def make_identity(file: Path) -> str:
    """Write a new identity to a new file, for its owner alone; returns its public key."""
    identity = pyrage.x25519.Identity.generate()
    public_key = str(identity.to_public())
    try:
        with os.fdopen(_create_private_file(file), "w", encoding="utf-8") as written:
            written.write(f"# public key: {public_key}\n{identity}\n")
    except FileExistsError as error:
        raise RuleError(f"{file} exists: name a file that does not.") from error
    except OSError as error:
        raise RuleError(f"{file} cannot be written: {error.strerror}.") from error
    return public_key


def _create_private_file(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _refusal_of(error: Exception, source: Path, identity_file: Path) -> RuleError:
    if "No matching keys" in str(error):
        return WrongIdentityError(
            f"The identity in {identity_file} does not open {source.name}: it is encrypted to another key."
        )
    if isinstance(error, pyrage.DecryptError) or "decryption error" in str(error):
        return RuleError(f"{source.name} is damaged or cut off ({error}). Nothing was changed.")
    return RuleError(f"{source.name} could not be decrypted ({error}). Nothing was changed.")


# Compares the schema of a database, object by object, with the one that its migrations make.
#
# Rows can be trusted only as far as the triggers and constraints that protected them: a backup whose
# schema differs from that of its revision was changed by somebody else.

Schema = dict[str, str]  # definition of each object, by its kind and name
MOST_SAID = 20
_SQLITE = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY 1"
# Of all schemas but PostgreSQL's own. Extensions belong to whoever runs the server.
_POSTGRESQL = """
WITH own AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg\\_%'
), relation AS (
    SELECT c.oid, c.relkind, own.nspname || '.' || c.relname AS name, c.relrowsecurity
    FROM pg_class c JOIN own ON own.oid = c.relnamespace
)
SELECT 'schema ' || nspname, '' FROM own
UNION ALL
    SELECT 'relation ' || name, concat_ws(' ', relkind, relrowsecurity) FROM relation WHERE relkind <> 'i'
UNION ALL SELECT 'view ' || name, pg_get_viewdef(oid) FROM relation WHERE relkind IN ('v', 'm')
UNION ALL SELECT 'index ' || name, pg_get_indexdef(oid) FROM relation WHERE relkind = 'i'
UNION ALL
    SELECT 'column ' || r.name || '.' || a.attname, concat_ws(
        ' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
        l.collname, pg_get_expr(d.adbin, d.adrelid)
    )
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE r.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
    SELECT 'constraint ' || r.name || '.' || k.conname,
        concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated)
    FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid
UNION ALL
    SELECT 'trigger ' || r.name || '.' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
UNION ALL
    SELECT 'rule ' || r.name || '.' || u.rulename, pg_get_ruledef(u.oid)
    FROM relation r JOIN pg_rewrite u ON u.ev_class = r.oid WHERE r.relkind NOT IN ('v', 'm')
UNION ALL
    SELECT 'function ' || p.oid::regprocedure, pg_get_functiondef(p.oid)
    FROM pg_proc p JOIN own ON own.oid = p.pronamespace WHERE p.prokind <> 'a'
UNION ALL
    SELECT 'event trigger ' || evtname, concat_ws(' ', evtfoid::regproc, evtenabled) FROM pg_event_trigger
"""


class ForeignSchemaError(RuleError):
    """The schema of a backup is not what the migrations of its revision make."""

    def __init__(self, differences: list[str]) -> None:
        more = len(differences) - MOST_SAID
        names = ", ".join(differences[:MOST_SAID]) + (f" and {more} more" if more > 0 else "")
        super().__init__(
            f"The backup was not made by this portal, or was changed since: {names}. Nothing was changed."
        )


@contextmanager
def open_engine(url: URL) -> Iterator[Engine]:
    """An engine for another database, set up like the portal's own, without a connection pool."""
    engine = create_engine(url, poolclass=NullPool)
    prepare_engine(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def upgrade_database(engine: Engine, revision: str, applied: Callable[..., None] | None = None) -> None:
    """Run the migrations up to a revision on this database; ``applied`` is alembic's callback after each."""
    config = Config(attributes={"engine": engine, "applied": applied})
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, revision)


def schema_of(engine: Engine) -> Schema:
    """Every table, column, index, constraint, trigger, view and function, with its text."""
    statement = _SQLITE if engine.dialect.name == "sqlite" else _POSTGRESQL
    with engine.connect() as connection:
        return {
            name: " ".join(str(definition).split())
            for name, definition in connection.execute(text(statement))
        }


def refuse_differences(actual: Schema, expected: Schema) -> None:
    """Refuse a backup whose schema differs from the one that the migrations of its revision make.

    Raises:
        ForeignSchemaError: An object is missing, added or different.
    """
    differences = [f"{name} is missing" for name in expected.keys() - actual.keys()]
    differences += [f"{name} is not the portal's" for name in actual.keys() - expected.keys()]
    differences += [
        f"{name} differs" for name in expected.keys() & actual.keys() if expected[name] != actual[name]
    ]
    if differences:
        raise ForeignSchemaError(sorted(differences, key=lambda text: (text.startswith("column"), text)))
