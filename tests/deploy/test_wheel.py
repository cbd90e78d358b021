"""What a force unpacks: all that runs, nothing that needs Node, the whole book; the same bytes each time."""

import csv
import http.client
import json
import os
import re
import runpy
import secrets
import shutil
import site
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest

from portal.platform.documents.fonts import SYSTEM_FONTS
from tests.running import PASSWORD, ROOT, free_port
from tests.waiting import until

wheels = SimpleNamespace(**runpy.run_path(str(ROOT / "requirements/wheel.py")))


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """The archive that a force gets."""
    return wheels.build_release(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def release(archive, tmp_path_factory) -> Path:
    """The folder that a force unpacks, far from any checkout."""
    folder = tmp_path_factory.mktemp("release")
    with tarfile.open(archive) as members:
        members.extractall(folder, filter="data")
    (unpacked,) = folder.glob("portal-*")
    return unpacked


@pytest.fixture(scope="module")
def installed(release, tmp_path_factory) -> Path:
    """The Python of an empty environment with the wheel; libraries are those of the tests."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin/python"
    (wheel,) = release.glob("*.whl")
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-cache"]
    subprocess.run([*uv, "--python", python, wheel], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()))
    return python


def run(python: Path, folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/nowhere", "PORTAL_MODE": "demo", "DEMO_PASSWORD": PASSWORD, **settings}
    return subprocess.run(
        [python, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def code_blocks(document: Path) -> list[list[str]]:
    """The lines of each block of code, comments left out, broken lines joined."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```$", document.read_text(), re.MULTILINE | re.DOTALL)
    joined = (re.sub(r"\\\n\s*", "", block).splitlines() for block in blocks)
    return [[line.partition(" # ")[0].strip() for line in lines] for lines in joined]


def test_the_release_holds_the_wheel_its_lock_files_and_the_operators_book(release):
    (wheel,) = release.glob("*.whl")
    for name in (
        "deploy/install.sh", "docs/operating/upgrade.md", "docs/operating/upgrade-notes.md", "README.md",
        "requirements/production.txt", "requirements/postgresql.txt",
    ):  # fmt: skip
        assert (release / name).read_text() == (ROOT / name).read_text()
    assert json.loads((release / "sbom.json").read_text())["bomFormat"] == "CycloneDX"
    named = "".join(
        re.findall(r"^\| (`.*?) \|", (release / "docs/operating/release.md").read_text(), re.MULTILINE)
    )
    top = {path.name for path in release.iterdir()} - {
        "CONTRIBUTING.md",
        "SECURITY.md",
        "benchmarks",
    }  # linked to
    assert [name for name in top if name.partition("-")[0] not in named] == []
    with ZipFile(wheel) as zipped:
        names = zipped.namelist()
        (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
        listed = [row[0] for row in csv.reader(zipped.read(record).decode().splitlines())]
    assert sorted(names) == sorted(listed)
    assert {"wsgi.py", "serve.py", "config.py", "migrations/alembic.ini", "portal/app.py"} <= set(names)
    assert any(re.fullmatch(r"portal/pages/layout/static/portal\.[0-9a-f]{16}\.css", name) for name in names)
    assert not [name for name in names if name.endswith((".scss", ".mjs", ".pyc"))]
    assert not [name for name in names if name.startswith(("tools/", "tests/"))]


def test_the_same_sources_make_the_same_archive(archive, release, tmp_path):
    (wheel,) = release.glob("*.whl")
    again = wheels.build_release(tmp_path)

    assert next(tmp_path.glob("portal-*/*.whl")).read_bytes() == wheel.read_bytes()
    assert (
        again.with_name(f"{again.name}.sha256").read_text()
        == archive.with_name(f"{archive.name}.sha256").read_text()
    )


def test_whoever_gets_a_release_can_check_whose_it_is(archive, release, tmp_path):
    key, here = tmp_path / "release-key", tmp_path / "here"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    here.mkdir()
    for file in archive.parent.glob(f"{archive.name}*"):
        shutil.copy(file, here)
    assert "is unsigned" in wheels.sign_release(here / archive.name, "")
    assert "is signed" in wheels.sign_release(here / archive.name, str(key))
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    (here / "allowed_signers").write_text(f'portal-releases namespaces="portal-release" {public}\n')
    checksum, signature = code_blocks(release / "docs/operating/release.md")[0]
    version = wheels.read_project()["version"]

    def check(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", line.replace("VERSION", version)], cwd=here, capture_output=True, text=True
        )

    assert check(checksum).stdout == f"{archive.name}: OK\n"
    assert 'Good "portal-release" signature' in check(signature).stdout
    with (here / archive.name).open("ab") as changed:
        changed.write(b"x")
    assert check(checksum).returncode != 0
    assert check(signature).returncode != 0


def test_every_document_and_file_that_the_book_names_is_in_the_archive(release):
    missing = []
    for document in release.rglob("*.md"):
        text = document.read_text()
        prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
        links = (link for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose) if "://" not in link)
        missing += [f"{document.name}: {link}" for link in links if not (document.parent / link).exists()]
        if document.parent.name in {"operating", "runbook"}:
            named = re.findall(r"(?<![\w/.])((?:deploy|requirements|docs)/[\w./-]*\w)", text)
            missing += [f"{document.name}: {name}" for name in named if not (release / name).exists()]
            typed = [line for block in code_blocks(document) for line in block]
            missing += [f"{document.name}: {line}" for line in typed if line.startswith("make ")]
            assert "make setup" not in text

    assert missing == []


def test_the_image_is_made_of_what_the_archive_holds(release):
    """The recipe is read, not built: no machine of this project has a container engine."""
    folder = release / "deploy/container"
    recipe = (folder / "Containerfile").read_text().replace("\\\n", "")
    let_in = [
        line[1:]
        for line in (folder / "Containerfile.dockerignore").read_text().splitlines()
        if line[:1] == "!"
    ]
    copied = [
        word for line in re.findall(r"^COPY (?!--)(.*)", recipe, re.MULTILINE) for word in line.split()[:-1]
    ]

    assert "context: ../.." in (folder / "compose.yaml").read_text()
    assert copied == ["requirements", "portal-*.whl"]
    assert set(copied) == set(let_in)
    assert all(any(release.glob(name)) for name in copied)
    locked = re.findall(r"--require-hashes -r (\S+)", recipe)
    assert locked == ["requirements/production.txt", "requirements/postgresql.txt"]
    assert re.search("^pysaml2==", (release / locked[0]).read_text(), re.MULTILINE)
    last = recipe.rpartition("\nFROM ")[2]
    assert {"xmlsec1", "postgresql-client", "libpq5", *SYSTEM_FONTS} <= set(last.split())
    assert "gcc" not in last


def test_the_install_script_and_the_image_install_the_same(release):
    script = (release / "deploy/install.sh").read_text()

    assert re.findall(r"--require-hashes -r /opt/portal/(\S+)", script) == [
        "requirements/production.txt",
        "requirements/postgresql.txt",
    ]
    assert {"xmlsec1", "libpq-dev", *SYSTEM_FONTS} <= set(script.split())


def test_packages_that_only_an_earlier_release_needed_go(release, tmp_path):
    """The lines of the script run on an environment whose pip notes what it is asked."""
    script = (release / "deploy/install.sh").read_text()
    begin, end = script.index("pip() {"), script.index("/opt/portal/.venv/bin/python -m compileall")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n'
        "case $* in *list*) printf '%s==1\\n' pip Flask psycopg-c psycopg_binary ;; esac\n"
    )
    python.chmod(0o755)
    shutil.copytree(release / "requirements", tmp_path / "requirements")

    subprocess.run(["sh", "-euc", script[begin:end].replace("/opt/portal", str(tmp_path))], check=True)

    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[-1] for line in asked if "uninstall" in line] == ["psycopg-binary"]
    assert sum("--require-hashes" in line for line in asked) == 2


def test_the_install_script_takes_the_wheel_and_leaves_nothing_of_a_checkout(release, tmp_path):
    for source in (ROOT, release):
        done = subprocess.run(
            [source / "deploy/install.sh", "--root", tmp_path, "learning.west.police.uk"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    program = tmp_path / "opt/portal"
    assert (program / "portal/pages/layout/static/manifest.json").is_file()
    assert (program / "wsgi.py").is_file()
    assert (program / "requirements/production.txt").is_file()
    assert (program / "requirements/postgresql.txt").is_file()
    assert not (program / "requirements/base.txt").exists()
    assert not (program / "package.json").exists()
    assert not (program / "portal/pages/layout/sass").exists()
    assert not (program / "pyproject.toml").exists(), "or the version would be that of the checkout"


@pytest.mark.slow
def test_an_installed_wheel_knows_its_version_and_keeps_data_where_one_works(installed, tmp_path):
    program = (
        "import config, wsgi; from portal.commands.release import list_versions as all; print(all()[0][1])"
    )
    said = run(installed, tmp_path, "-c", f"{program}; print(config.ROOT.name, config.BASE)")

    assert said.stdout.splitlines() == [wheels.read_project()["version"], f"site-packages {tmp_path}"], (
        said.stderr
    )


@pytest.mark.sweep
@pytest.mark.slow
def test_an_installed_wheel_prepares_the_demo_and_serves_a_page_with_its_style_sheet(installed, tmp_path):
    port, flask = free_port(), ("-m", "flask", "--app", "wsgi")
    assert "Flask" in run(installed, tmp_path, *flask, "--version").stdout
    prepared = run(installed, tmp_path, *flask, "demo", "prepare", PORT=str(port))
    assert prepared.returncode == 0, prepared.stderr
    assert (tmp_path / "instance/portal.sqlite").is_file()
    (packages,) = installed.parents[1].glob("lib/python*/site-packages")
    environment = {"PATH": "/nowhere", "PORTAL_MODE": "demo", "DEMO_PASSWORD": PASSWORD, "PORT": str(port)}
    server = subprocess.Popen([installed, packages / "serve.py"], cwd=tmp_path, env=environment)
    try:
        until(lambda: _answer(port, "/readyz")[0] == 200)
        status, page = _answer(port, "/sign-in")
        (sheet,) = re.findall(r'href="(/static/portal\.[0-9a-f]{16}\.css)"', page)
        assert status == 200
        assert _answer(port, sheet)[0] == 200
        assert "govuk" in _answer(port, sheet)[1]
    finally:
        server.terminate()
        server.wait(60)


def _answer(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


@pytest.mark.sweep
@pytest.mark.slow
def test_the_book_is_followed_with_the_archive_alone(release, tmp_path):
    """Installed, backed up, lost, brought back and upgraded by the lines of four chapters, in their order.

    Only the packages are those of the tests, since they come from a registry.
    """
    here = tmp_path / "portal"
    shutil.copytree(release, here)
    operating = here / "docs/operating"
    _, install, run_it, driver = code_blocks(operating / "release.md")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", here / ".venv"], check=True)
    (packages,) = here.glob(".venv/lib/python*/site-packages")
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()))
    environment = {
        "PATH": os.environ["PATH"],
        "PORTAL_MODE": "production",
        "SECRET_KEY": secrets.token_hex(32),
    }
    environment |= {"PUBLIC_URL": "https://127.0.0.1:9", "BACKUP_DIR": str(tmp_path / "backups")}
    environment |= {"INSTANCE_DIR": str(tmp_path / "data"), "BACKUP_COPY_TO": str(tmp_path / "second")}
    for name in ("data", "backups", "second", "again", "back"):
        (tmp_path / name).mkdir(mode=0o700)

    def follow(line: str, **settings: str) -> str:
        line = re.sub(
            r"^(flask|/opt/portal/deploy/portalctl)( --app wsgi)?",
            ".venv/bin/python -m flask --app wsgi",
            line,
        )
        line = line.replace("/var/lib/portal", str(tmp_path))
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=here,
            env=environment | settings,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout

    for line in (*install[1:2], *driver):
        assert (here / line.split()[-1]).is_file()  # what pip would read
    follow(install[2])
    follow(run_it[0])
    assert (run_it[1:], (here / "serve.py").is_file()) == (
        [".venv/bin/python -m flask --app wsgi doctor", ".venv/bin/python -m serve"],
        True,
    )

    (new_key,) = re.findall(
        r"`(flask --app wsgi backups new-key \S+)`", (operating / "backup.md").read_text()
    )
    said = follow(f"{new_key.rpartition(' ')[0]} {tmp_path}/identity.txt")
    environment["BACKUP_PUBLIC_KEYS"] = re.search(r"age1\w+", said)[0]
    (run_now,) = (
        line for block in code_blocks(operating / "backup.md") for line in block if "backups run" in line
    )
    assert "1 backup kept" in follow(run_now)

    environment["INSTANCE_DIR"] = str(tmp_path / "again")  # the server is gone
    _, (stored, _, fetch), (_, restore, _), _, (reconcile, _), *_ = code_blocks(operating / "disaster.md")
    assert ".backup.age" in follow(stored)
    follow(fetch)
    (backup,) = (tmp_path / "back").glob("*.backup.age")
    assert "Restored" in follow(restore.replace("portal-….backup.age", backup.name))
    assert "0 differences" in follow(reconcile)

    by_hand = next(
        block for block in code_blocks(operating / "upgrade.md") if block[0].endswith("backup FILE")
    )
    before, plan, upgrade = (line for line in by_hand if line.startswith("flask"))
    assert "Backed up" in follow(before.replace("FILE", f"{tmp_path}/before.backup"))
    assert plan.removesuffix(" --dry-run") == upgrade
    follow(plan)
