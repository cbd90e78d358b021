"""Every setting that is read is described for operators, with a default and an example that are true."""

import ast
import secrets
from pathlib import Path

from config import Config
from docs import draw_settings
from portal.platform.secret_values import SECRETS

ROOT = Path(__file__).resolve().parents[2]
# Where the environment is read, and by which functions.
READERS = {
    "config.py": {"_env", "_number_setting", "_secret"},
    "portal/platform/backups/settings.py": {"read", "read_secret", "number"},
    "portal/platform/observability/logs.py": {"read", "secret"},
    "portal/features/saml/settings.py": {"read"},
    "portal/features/saved_reports/settings.py": {"read"},
    "portal/platform/signing/settings.py": {"read"},
    "portal/features/watched_folder/folder.py": {"read"},
}
DESCRIBED = {row.name: row for group in draw_settings.GROUPS for row in group.settings}


def settings_read():
    """Names that are read from the environment, each with the default given there; "" for none."""
    return {
        node.args[0].value: node.args[1].value if len(node.args) > 1 else ""
        for file, readers in READERS.items()
        for node in ast.walk(ast.parse((ROOT / file).read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in readers
        and isinstance(node.args[0], ast.Constant)
        and (len(node.args) < 2 or isinstance(node.args[1], ast.Constant))
    }


def is_value(text):
    """Whether a cell is one value as one writes it, and no words."""
    return text.isdigit() or (text.startswith("`") and text.endswith("`") and text.count("`") == 2)


def test_every_setting_is_described_once_and_none_that_is_not_read():
    names = [row.name for group in draw_settings.GROUPS for row in group.settings]

    assert len(names) > 80
    assert sorted(names) == sorted(settings_read())


def test_the_page_of_settings_is_written_from_the_code():
    page = draw_settings.PAGE.read_text(encoding="utf-8")

    assert page == draw_settings.draw(), "docs/operating/settings.md is stale: run `make data-model`"


def test_what_holds_where_a_setting_is_not_set_is_said_as_the_code_has_it():
    read = settings_read()
    stated = {name: row.default.strip("`") for name, row in DESCRIBED.items() if is_value(row.default)}

    assert len(stated) > 25
    assert {name: str(read[name] or stated[name]) for name in stated} == stated


def write_environment(folder):
    """Every example that is a value; what is a path on a server is one in this folder."""
    values = {}
    for row in DESCRIBED.values():
        value = row.example.strip("`")
        if row.name.startswith(("SAML_", "RETURN_KEY")) or not is_value(row.example):
            continue
        if value.startswith("/"):
            path = folder / row.name.lower()
            path.mkdir() if row.name.endswith(("DIR", "FOLDER")) else path.write_text("")
            value = str(path)
        values[row.name] = value
    return values


def test_every_example_is_accepted(tmp_path, monkeypatch):
    secret = {name: secrets.token_hex(32) for name in SECRETS if not is_value(DESCRIBED[name].example)}
    examples = write_environment(tmp_path)
    assert len(examples) > 60

    for name, value in {**secret, **examples}.items():
        monkeypatch.setenv(name, value)
    settings = Config()

    assert (settings.port, settings.small_number, settings.jobs_kept_days) == (8443, 10, 30)
    assert settings.openid.match_claim == "employee_id"
    assert settings.backup.kept.days == 30
