"""Runs a command of the portal as the server's user, with the files of whoever types it as root.

``portalctl`` starts it, with the server's settings. As root it reads the command line and nothing of the
portal's data. A path that the server's user cannot use, such as one in root's own folder, is copied into a
folder of that user's, and what the command wrote there is copied back.
"""

import io
import os
import pwd
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
from flask.cli import cli

from portal.app import list_commands

PROGRAM = Path(__file__).resolve().parents[1]
IN_MEMORY = Path("/run")  # so that a roster or a private key never comes to the disk


@dataclass
class NamedPath:
    """A path on the command line, and what the command gets for it."""

    typed: str
    given: Path
    target: Path  # from where the caller stands
    before: dict[Path, tuple[int, int]] = field(default_factory=dict)  # copies; empty where none was needed


class _AsTyped(io.TextIOWrapper):
    """An output that names a copy as its file was typed."""

    names: Sequence[NamedPath] = ()

    def write(self, text: str) -> int:
        for name in self.names:
            text = text.replace(str(name.given), name.typed)
        return super().write(text)


def list_typed_paths(words: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """The words that the command takes as paths, and whether it only reads a file there."""
    command, rest = _find_command(list(words))
    try:
        values, _, _ = command.make_parser(click.Context(command)).parse_args(rest)
    except click.UsageError:  # the command itself will say it
        return
    for parameter in command.params:
        kind, value = parameter.type, values.get(parameter.name)
        if isinstance(kind, click.Path | click.File) and isinstance(value, str) and value != "-":
            yield value, isinstance(kind, click.File) or (kind.exists and not kind.dir_okay)


def _find_command(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command of these words, and the words after its name; one without parameters if there is none."""
    for commands in list_commands():
        group = [commands.cli_group] if commands.cli_group else []
        name, rest = words[: len(group) + 1], words[len(group) + 1 :]
        if words and name[:-1] == group and (found := commands.cli.commands.get(name[-1])):
            return found, rest
    return click.Command(None), []


@contextmanager
def effectively(user: int, group: int) -> Iterator[None]:
    """Ask the system as this user would."""
    own, groups = (os.geteuid(), os.getegid()), os.getgroups()
    os.setgroups(_groups_of(user, group))
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(own[0])
        os.setegid(own[1])
        os.setgroups(groups)


def _groups_of(user: int, group: int) -> list[int]:
    try:
        return os.getgrouplist(pwd.getpwuid(user).pw_name, group)
    except KeyError:  # a number without a name
        return [group]


def is_usable(path: Path, *, only_read: bool) -> bool:
    """Whether whoever asks can use the path as a command does."""
    if os.access(path, os.F_OK, effective_ids=True):
        return os.access(path, os.R_OK | (0 if only_read else os.W_OK), effective_ids=True)
    return os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True)


def place_paths(words: Sequence[str], folder: Path, user: int, group: int) -> list[NamedPath]:
    """Each path on the command line, absolute; what the user cannot use is copied below the folder."""
    names = []
    for number, (typed, only_read) in enumerate(list_typed_paths(words)):
        target = Path(typed).absolute()
        with effectively(user, group):
            usable = is_usable(target, only_read=only_read)
        if usable:
            names.append(NamedPath(typed, target, target))
            continue
        own = folder / str(number)
        own.mkdir(mode=0o700)
        copy = own / (target.name or "files")
        if target.is_dir():
            shutil.copytree(target, copy)
        elif target.exists():
            shutil.copy(target, copy)
        for path in [own, *own.rglob("*")]:
            os.chown(path, user, group, follow_symlinks=False)
        names.append(NamedPath(typed, copy, target, _look_at(own)))
    return names


def _look_at(own: Path) -> dict[Path, tuple[int, int]]:
    """Every file and folder, with what differs once it is written; links are left out."""
    paths = [path for path in (own, *own.rglob("*")) if not path.is_symlink()]
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}


def take_back(name: NamedPath) -> None:
    """Copy to where the caller meant it what the command wrote into its copy."""
    if not name.before:
        return
    own = name.given.parent
    os.chown(own, 0, 0)  # nobody else changes it while it is copied
    for path, state in _look_at(own).items():
        if path.is_file() and path.is_relative_to(name.given) and name.before.get(path) != state:
            target = name.target / path.relative_to(name.given)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)


def become(words: Sequence[str], names: Sequence[NamedPath], user: int, group: int) -> None:
    """Be the command, as the user, from here on."""
    os.setgroups(_groups_of(user, group))
    os.setgid(group)
    os.setuid(user)
    os.chdir(PROGRAM)
    copies = [name for name in names if name.before]
    for stream in ("stdout", "stderr"):
        plain = getattr(sys, stream)
        output = _AsTyped(plain.buffer, plain.encoding, plain.errors, line_buffering=True)
        output.names = copies
        setattr(sys, stream, output)
    given = {name.typed: str(name.given) for name in names}
    cli.main(args=["--app", "wsgi", *(_replace_path(word, given) for word in words)], prog_name="flask")


def _replace_path(word: str, given: Mapping[str, str]) -> str:
    option, sign, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return f"{option}{sign}{given.get(value, value)}"


def run(words: Sequence[str]) -> int:
    """Run the command, and return how it ended."""
    owner = Path(os.environ["INSTANCE_DIR"]).stat()
    folder = Path(tempfile.mkdtemp(prefix="portalctl-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
    caller = os.getpid()
    try:
        folder.chmod(0o711)
        names = place_paths(words, folder, owner.st_uid, owner.st_gid)
        child = os.fork()
        if not child:
            become(words, names, owner.st_uid, owner.st_gid)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command gets it too, and decides
        signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for name in names:
            take_back(name)
    finally:
        if os.getpid() == caller:
            shutil.rmtree(folder)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("Run this as root: it reads the server's secrets, and then becomes the server's user.")
    try:
        sys.exit(run(sys.argv[1:]))
    except OSError as error:
        sys.exit(f"{error.filename or ''}: {error.strerror}.".removeprefix(": "))
