"""Every setting that the portal reads is described for operators, and nothing else is."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READERS = {"_env", "_number_setting"}
NAME = re.compile(r"`([A-Z][A-Z0-9_]{2,})`")


def settings_read():
    """Names that config.py reads from the environment."""
    calls = [
        node for node in ast.walk(ast.parse((ROOT / "config.py").read_text())) if isinstance(node, ast.Call)
    ]
    return {
        call.args[0].value
        for call in calls
        if getattr(call.func, "id", "") in READERS and isinstance(call.args[0], ast.Constant)
    }


def settings_described():
    """Names in the first cell of each row of the operators' tables."""
    rows = [
        line.split("|")[1]
        for line in (ROOT / "docs" / "operating" / "settings.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    return [name for cell in rows for name in NAME.findall(cell)]


def test_every_setting_is_described_once_and_none_that_is_not_read():
    described = settings_described()

    assert len(described) > 30
    assert sorted(described) == sorted(settings_read())
