"""docs/examples: whole as it was committed, and made with the same bytes by a second demo."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from docs.draw_examples import LATER, THEN

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "examples"
MAKE = "import sys; from pathlib import Path; from docs.draw_examples import make_examples; "
MAKE += "make_examples(Path(sys.argv[1]), people=20)"


def sums(folder: Path) -> dict[str, str]:
    files = sorted(path for name in (THEN, LATER) for path in (folder / name).iterdir())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_the_sums_are_those_of_the_files():
    lines = (FOLDER / "SHA256SUMS").read_text(encoding="ascii").splitlines()

    assert {name: digest for digest, name in (line.split("  ") for line in lines)} == sums(FOLDER)


@pytest.mark.sweep
@pytest.mark.slow
def test_two_demos_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        subprocess.run([sys.executable, "-c", MAKE, str(tmp_path / name)], cwd=ROOT, check=True, timeout=300)

    assert len(sums(tmp_path / "one")) == 12
    assert sums(tmp_path / "one") == sums(tmp_path / "two")
