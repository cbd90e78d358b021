"""What `make run` says where something that it needs is missing: one sentence, and what to do."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODE = shutil.which("node")
OLD_NODE = f"""#!/bin/sh
exec {NODE} -e "Object.defineProperty(process, 'versions', {{value: {{node: '18.20.0'}}}}); $2"
"""
PACKAGES, STYLES = ".venv/.base", "node_modules/.ready"  # what `make run` fetches first


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone with what the first steps read, and a search path that finds no program yet."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "requirements").mkdir()
    for name in ("Makefile", "package-lock.json", "requirements/base.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def add_program(folder: Path, name: str, text: str) -> None:
    """Put a program where the recipe finds it."""
    program = folder / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(text)
    program.chmod(0o755)


def make(folder: Path, target: str) -> list[str]:
    """What `make` says of a target that it cannot reach, but for the line in which it stops."""
    done = subprocess.run(
        [shutil.which("make") or "make", target, "PYTHON=bin/python"],
        cwd=folder,
        env={"PATH": str(folder / "bin")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    return [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]


def test_without_node_it_says_which_is_needed(folder):
    assert make(folder, STYLES) == ["Node 20.19 or newer is needed, with npm"]


def test_an_old_node_is_refused(folder):
    add_program(folder, "bin/node", OLD_NODE)
    add_program(folder, "bin/npm", "#!/bin/sh\nexit 0\n")

    assert make(folder, STYLES) == ["Node 20.19 or newer is needed"]


@pytest.mark.parametrize("target", [STYLES, PACKAGES])
def test_without_a_way_to_the_packages_it_says_so(folder, target):
    add_program(folder, "bin/node", f'#!/bin/sh\nexec {NODE} "$@"\n')
    add_program(folder, "bin/npm", "#!/bin/sh\nexit 1\n")
    add_program(folder, "bin/python", "#!/bin/sh\nexit 0\n")
    add_program(folder, ".venv/bin/python", "#!/bin/sh\nexit 1\n")  # pip finds no index

    (sentence,) = make(folder, target)

    assert sentence.startswith("The packages could not be fetched: is there a way")
