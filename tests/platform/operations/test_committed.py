"""What stands in the repository: locked environments, the licence, and a suite that says what it lacks."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", ["base", "dev"])
def test_every_package_is_locked_with_its_hashes(name):
    text = (ROOT / f"requirements/{name}.txt").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    packages = [line for line in lines if not line.startswith("-")]

    assert len(packages) > 20
    assert [line for line in packages if "==" not in line.split()[0] or "--hash=sha256:" not in line] == []


def test_every_script_package_is_locked_with_its_hash():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert [
        name for name, kept in packages.items() if name and not kept["integrity"].startswith("sha512-")
    ] == []


def test_the_licence_is_mit():
    text = (ROOT / "LICENSE").read_text()

    assert "MIT License" in text
    assert "Permission is hereby granted, free of charge" in text


def test_the_build_calls_check_and_test():
    steps = (ROOT / ".ci/run").read_text()

    assert re.search(r"make check", steps)
    assert re.search(r"make test", steps)


def test_what_the_suite_lacks_is_named_where_it_may_not_be_installed(tmp_path):
    for tool in ("id", "ls", "sh"):  # neither Chromium nor a package manager
        found = subprocess.run(["sh", "-c", f"command -v {tool}"], capture_output=True, text=True, check=True)
        (tmp_path / tool).symlink_to(found.stdout.strip())
    done = subprocess.run(
        [str(tmp_path / "sh"), str(ROOT / "tests/system-packages.sh")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "chromium" in done.stderr
