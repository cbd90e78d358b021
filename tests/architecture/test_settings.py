"""Every setting that the portal reads is described for operators, and nothing else is."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where the environment is read, and by which functions.
READERS = {
    "config.py": {"_env", "_number_setting", "_secret"},
    "portal/platform/backups/settings.py": {"read", "read_secret", "number"},
    "portal/platform/observability/settings.py": {"read", "secret"},
    "portal/platform/saml/settings.py": {"read"},
    "portal/platform/watched_folder/settings.py": {"read"},
}
NAME = re.compile(r"`([A-Z][A-Z0-9_]{2,})`")


def settings_read():
    """Names that are read from the environment."""
    return {
        node.args[0].value
        for file, readers in READERS.items()
        for node in ast.walk(ast.parse((ROOT / file).read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in readers
        and isinstance(node.args[0], ast.Constant)
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
