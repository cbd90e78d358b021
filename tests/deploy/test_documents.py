"""The commands of the operator's book, run in order as they are written, with what the text promises."""

import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.deploy.machine import HOST, add_settings, begin_services, make_machine, read_settings
from tests.forked import Forked
from tests.running import PASSWORD, ROOT, fresh_database

DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs/operating").glob("*.md")),
    *sorted((ROOT / "docs/runbook").glob("*.md")),
]
BLOCK = re.compile(
    r"^( *)```(\S*)\n(.*?)^ *```\n(?:\n *(Not run by the tests: [^\n]+\.)$)?", re.MULTILINE | re.DOTALL
)
NO_COMMANDS = {"crontab", "ini", "json", "nginx", "powerquery", "python", "sql", "sshconfig", "text"}
PORTAL = re.compile(r"(?:flask --app wsgi|/opt/portal/deploy/portalctl) (.+)")
OF_THE_MACHINE = re.compile(r"(?<![\w/.…])/(?=(?:opt/portal|etc|var|srv|media)/)")
ELSEWHERE = {("api.md", 3): "tests/pages/api/test_recipe.py"}  # the script of a nightly file
ROSTER = """staff_number,surname,forenames,email,rank_or_grade,designated_role,unit_path,\
line_manager_staff_number,valid_from,valid_to
""" + "".join(
    f"{number},Hale,{number},{number}@west.example,Constable,response,West/Response,,2026-01-01,\n"
    for number in ("W1", "W2", "W3")
)
root_alone = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a document."""

    document: str
    number: int  # counts from 1, all blocks of the document
    language: str
    text: str
    mark: str  # why it is not run


@dataclass(frozen=True, slots=True)
class Step:
    """A block that is run, and what is expected of it."""

    document: str
    number: int
    words: Mapping[str, str] = field(default_factory=dict)  # for words that the reader replaces
    says: Sequence[str] = ()  # what the text promises, in its order
    code: int = 0


def read_blocks() -> dict[tuple[str, int], Block]:
    blocks = {}
    for path in DOCUMENTS:
        name = path.name if path.parent != ROOT / "docs/runbook" else f"runbook/{path.name}"
        for number, (indent, language, text, mark) in enumerate(BLOCK.findall(path.read_text()), 1):
            lines = [line.removeprefix(indent) for line in text.splitlines(keepends=True)]
            blocks[name, number] = Block(name, number, language, "".join(lines), mark)
    return blocks


BLOCKS = read_blocks()
INSTALLING = [
    Step("install.md", 1, {HOST: HOST}, ["Program: ", "Settings: ", "Nothing was started"]),
    Step(
        "install.md",
        2,
        {"ADMINISTRATOR": "W1", "AUTHOR": "W2", "PUBLISHER": "W3"},
        ["New people: 3", "W1 is now administrator", "protect: version 1 published", f"https://{HOST}/set-password/"],
    ),
    Step(
        "install.md",
        3,
        {},
        ["OK      roster: 3 people", "OK      content: Published: 4 modules", "No administrator can sign in",
         "issue one at /directives"],
        code=1,  # no server answers here, nobody has opened the link, and no directive is issued
    ),
]  # fmt: skip
OPERATING = [
    Step("api.md", 1, {}, ["hr\twrite", "nightly\tread", "power-bi\tread", "Revoked: power-bi."]),
    Step("data-protection.md", 1, {"NUMBER": "D1001"}, ["D1001 to copy.pdf", "D1001 to copy.json"]),
    Step("packs.md", 1, {}, ["SHA-256", "SHA-256"]),
    Step("saml.md", 1),
    Step("upgrade.md", 1, {"FILE": "/var/backups/portal/old.backup"}, ["Backed up to", "nothing to upgrade"]),
    Step("watched-folder.md", 2),
    Step("watched-folder.md", 6),
    Step("backup.md", 1, {}, ["OK      database", "Backed up", "The newest backup is of"], code=1),
    Step("backup.md", 3, {}, ["rows"]),
    Step("disaster.md", 2, {}, [".backup.age", "Fetched "]),
    Step("disaster.md", 3, {}, ["Restored "]),
    Step("disaster.md", 5, {}, ["OK      database"], code=1),  # no server answers here
    Step(
        "runbook/backup.md",
        1,
        {"IDENTITY_FILE": "identity.txt", "FILE.age": "kept.age", "FILE": "by-hand.backup", "[": "", "]": ""},
        ["Backed up to by-hand.backup", "Restored by-hand.backup", "Restored kept.age"],
    ),
]  # fmt: skip


def test_every_block_is_run_or_says_why_not():
    """A block says what it is; commands are in a list above, or a sentence below says what they need."""
    run = {(step.document, step.number) for step in [*INSTALLING, *OPERATING]} | set(ELSEWHERE)
    unknown = [place for place, b in BLOCKS.items() if b.language not in NO_COMMANDS | {"sh"}]
    left = [place for place, b in BLOCKS.items() if b.language == "sh" and not b.mark and place not in run]
    both = [place for place in run if BLOCKS[place].mark or BLOCKS[place].language != "sh"]

    assert len(BLOCKS) > 40
    assert (unknown, left, both) == ([], [], [])
    for (document, _), test in ELSEWHERE.items():
        assert document in (ROOT / test).read_text()


class Operator:
    """Whoever follows the book: root, in a folder that the server's user cannot open."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home = root, home
        home.chmod(0o700)

    def follow(self, step: Step) -> None:
        """Run each command of the block, and compare."""
        said, codes = "", {0}
        for line in self._list_lines(step):
            portal = PORTAL.fullmatch(line)
            done = self._run_portal(shlex.split(portal[1])) if portal else self._run_shell(line)
            said += done.stdout + done.stderr
            codes.add(done.returncode)
            assert codes <= {0, step.code}, f"{line}\n{said}"
        assert step.code in codes, said
        rest = said
        for promised in step.says:
            assert promised in rest, f"{promised}\n{said}"
            rest = rest.partition(promised)[2]

    def _list_lines(self, step: Step) -> Iterator[str]:
        text = BLOCKS[step.document, step.number].text.replace("\\\n", " ")
        text = text.replace("learning.example.police.uk", HOST)
        for word, value in step.words.items():
            text = text.replace(word, value)
        text = text.replace("-o portal -g portal", "-o nobody -g nogroup").replace("-o portal ", "-o nobody ")
        for line in text.splitlines():
            plain = re.sub(r"(^|\s+)#.*", "", line).strip()
            if plain:
                portal = PORTAL.fullmatch(plain)
                start = plain[: portal.start(1)] if portal else ""
                yield start + OF_THE_MACHINE.sub(f"{self.root}/", plain[len(start) :]).replace("….", "*.")

    def _run_shell(self, line: str) -> subprocess.CompletedProcess[str]:
        line = line.replace("deploy/install.sh", f"{ROOT}/deploy/install.sh --root {self.root}")
        return subprocess.run(
            ["sh", "-euc", line], cwd=self.home, capture_output=True, text=True, timeout=300, check=False
        )

    def _run_portal(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """As ``portalctl`` does, from a process that has loaded the portal."""
        found = [str(path) for word in words for path in self._expand(word)]
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            script = str(self.root / "opt/portal/deploy/run_as_server.py")
            process = Forked(script, found, read_settings(self.root), out, err, self.home)
            try:
                code = process.wait(timeout=300)
            finally:
                process.kill()
            return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())

    def _expand(self, word: str) -> Sequence[object]:
        return sorted(Path("/").glob(word[1:])) if word.startswith("/") and "*" in word else [word]


@pytest.fixture
def machine() -> Iterator[Path]:
    """A folder that every user may enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        root = Path(folder).resolve()
        root.chmod(0o755)
        yield root


def install_by_the_book(root: Path, home: Path, database_url: str = "") -> None:
    operator = Operator(root, home)
    (home / "roster.csv").write_text(ROSTER)
    operator.follow(INSTALLING[0])
    begin_services(root, database_url=database_url)
    for step in INSTALLING[1:]:
        operator.follow(step)


@root_alone
@pytest.mark.slow
def test_a_force_is_installed_by_the_book(machine, tmp_path):
    install_by_the_book(machine, tmp_path)


@root_alone
@pytest.mark.sweep
@pytest.mark.slow
@pytest.mark.postgresql
def test_a_force_is_installed_by_the_book_on_postgresql(machine, tmp_path, postgresql):
    install_by_the_book(machine, tmp_path, fresh_database(postgresql, "by_the_book"))


@root_alone
@pytest.mark.slow
def test_a_force_is_run_by_the_book(machine, tmp_path, small_force):
    operator = Operator(make_machine(machine, small_force), tmp_path)
    add_settings(machine, PORTAL_MODE="demo", DEMO_PASSWORD=PASSWORD)
    made = operator._run_portal(["backups", "new-key", "identity.txt"])
    (key,) = re.findall(r"age1\w+", made.stdout)
    (tmp_path / "hr.pub").write_text("ssh-ed25519 AAAA hr\n")
    stick = machine / "media/stick"
    stick.mkdir(parents=True)
    (stick / "identity.txt").write_bytes((tmp_path / "identity.txt").read_bytes())
    copies = machine / "mnt"
    copies.mkdir(mode=0o777)
    copies.chmod(0o777)
    for step in OPERATING:
        if (step.document, step.number) == ("disaster.md", 3):  # another machine, with an empty database
            for file in (machine / "var/lib/portal").glob("portal.sqlite*"):
                file.unlink()
            assert operator._run_portal(["db", "upgrade"]).returncode == 0
        if step.document == "runbook/backup.md":
            newest = max((machine / "var/backups/portal").glob("*.age"))
            (tmp_path / "kept.age").write_bytes(newest.read_bytes())
        if step.document == "backup.md":
            add_settings(machine, BACKUP_COPY_TO=str(copies), BACKUP_PUBLIC_KEYS=key)
        operator.follow(step)
