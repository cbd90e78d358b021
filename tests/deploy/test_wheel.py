"""The wheel that a force installs: all that runs, nothing that needs Node, and the same bytes each time."""

import csv
import http.client
import re
import runpy
import site
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest

from tests.running import PASSWORD, ROOT, free_port
from tests.waiting import until

wheels = SimpleNamespace(**runpy.run_path(str(ROOT / "requirements/wheel.py")))


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Path:
    """The folder that a force unpacks."""
    folder = tmp_path_factory.mktemp("release")
    with tarfile.open(wheels.build_release(folder / "built")) as archive:
        archive.extractall(folder, filter="data")
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


def test_the_release_holds_the_wheel_its_lock_file_and_the_operators_book(release):
    (wheel,) = release.glob("*.whl")
    assert (release / "requirements.txt").read_text() == (ROOT / "requirements/base.txt").read_text()
    for name in ("deploy/install.sh", "docs/operating/upgrade.md", "docs/operating/upgrade-notes.md"):
        assert (release / name).read_text() == (ROOT / name).read_text()
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
        listed = [row[0] for row in csv.reader(archive.read(record).decode().splitlines())]
    assert sorted(names) == sorted(listed)
    assert {"wsgi.py", "serve.py", "config.py", "migrations/alembic.ini", "portal/app.py"} <= set(names)
    assert any(re.fullmatch(r"portal/pages/layout/static/portal\.[0-9a-f]{16}\.css", name) for name in names)
    assert not [name for name in names if name.endswith((".scss", ".mjs", ".pyc"))]


def test_the_same_sources_make_the_same_wheel(release, tmp_path):
    (wheel,) = release.glob("*.whl")
    assert wheels.build_wheel(tmp_path).read_bytes() == wheel.read_bytes()


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
    assert (program / "requirements.txt").is_file()
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
