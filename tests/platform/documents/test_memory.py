"""Large documents leave nothing in the process that asks for them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SETS = """
import sys
from datetime import UTC, datetime
from pathlib import Path

from portal.platform.documents.typesetting import typeset_pdf

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])

held = [resident()]
for turn in range(3):
    rows = "".join(f"[Person {turn} {n}], [Not started], [30 April 2026], " for n in range(1_000))
    made = typeset_pdf(f"#table(columns: 3, {rows})", title=f"{turn}", above="x", foot="x", author="x",
               at=datetime(2026, 6, 1, tzinfo=UTC))
    assert made.startswith(b"%PDF") and len(made) > 500_000
    held.append(resident())
print(held[-1] - held[0], "typst" in sys.modules)
"""


@pytest.mark.slow
def test_documents_take_no_memory_of_the_process_that_asks_for_them():
    done = subprocess.run([sys.executable, "-c", SETS], cwd=ROOT, capture_output=True, text=True, check=True)

    grown, loaded = done.stdout.split()

    assert int(grown) < 12 * 1024
    assert loaded == "False"
