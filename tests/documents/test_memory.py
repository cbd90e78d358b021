"""A large document leaves its memory to the next one."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SETS = """
from datetime import UTC, datetime
from pathlib import Path

from portal.documents.typesetting import pdf

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) // 1024

held = []
for turn in range(5):
    rows = "".join(f"[Person {turn} {n}], [Not started], [30 April 2026], " for n in range(2_000))
    made = pdf(f"#table(columns: 3, {rows})", title=f"{turn}", above="x", foot="x", author="x",
               at=datetime(2026, 6, 1, tzinfo=UTC))
    assert made.startswith(b"%PDF")
    held.append(resident())
print(held[-1] - held[1], held[1])
"""


def test_one_large_document_after_another_takes_no_more_memory_than_the_first():
    done = subprocess.run([sys.executable, "-c", SETS], cwd=ROOT, capture_output=True, text=True, check=True)

    grown, held = map(int, done.stdout.split())

    assert held > 60  # else these documents are too small to show anything
    assert grown < 40
