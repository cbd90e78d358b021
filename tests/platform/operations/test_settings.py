"""Every setting that is wrong is named in a sentence of its own; nothing begins, and nothing is traced."""

import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from config import Config, ConfigError
from tests.forked import Forked
from tests.running import ROOT, command, copied, free_port, settings
from tests.waiting import PATIENCE

GOOD = {"PORTAL_MODE": "production", "SECRET_KEY": secrets.token_hex(32), "PUBLIC_URL": "https://a.example"}
SECRETS = (
    "a" * 64,
    "ab" * 32,
    "0123456789abcdef" * 4,
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "change-me-before-production-0123456789",
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "k7" * 10,
)
ISSUERS = (
    "login.example",
    "http://login.example",
    "https://[",
    "https://me@login.example",
    "https://login.example/?tenant=west",
    "https://login.microsoftonline.com/common/v2.0",
    "https://login.microsoftonline.com/6f3c1a52-0b7e-4d8f-9a51-2c4e8b7d9f10",
)
OPENID = {
    "OIDC_ISSUER": "https://login.example",
    "OIDC_CLIENT_ID": "portal",
    "OIDC_CLIENT_SECRET": "5f0c",
    "OIDC_MATCH_CLAIM": "employee_id",
    "OIDC_MATCH_FIELD": "staff_number",
}
# Of each setting of config.py: its field, its name in the environment and what is refused.
WRONG = [
    ("mode", "PORTAL_MODE", ("staging",)),
    ("database_url", "DATABASE_URL", ("mysql://h/d", "sqlite://", "portal.sqlite", "postgresql://h:port/d")),
    ("replica_url", "REPLICA_URL", ("postgresql://replica/portal", "sqlite:///copy.sqlite", "replica")),
    ("bind", "BIND", ("127.0.0.1 8000", "http://127.0.0.1")),
    ("port", "PORT", ("abc", "0", "65536", "-1", "8000.5", "٣")),
    ("public_url", "PUBLIC_URL", ("learning.example", "ftp://a.example", "http://a.example", "https://[")),
    ("secret_key", "SECRET_KEY", SECRETS),
    ("instance", "INSTANCE_DIR", ("/dev/null/portal", "/proc/portal", "/etc/hostname")),
    ("force_name", "FORCE_NAME", ("West\nshire", "x" * 501)),
    ("sign_in_help", "SIGN_IN_HELP", ("Ring\r\nthem", "x" * 501)),
    ("status_networks", "STATUS_NETWORKS", ("everybody", "10.0.0.1/8", "10.0.0.0/8 ::1/x")),
    ("metrics_networks", "METRICS_NETWORKS", ("everybody", "0.0.0.0/0")),
    ("seeing", "METRICS_TOKEN", SECRETS),
    ("seeing", "LOG_REQUESTS", ("none",)),
    ("seeing", "SLOW_STATEMENT_MS", ("0", "half", "0.5", "600001", "٣")),
    ("network_names", "NETWORK_NAMES", ("Headquarters", "10.1.2.3/16=HQ", "10.1.0.0/16=Elsewhere")),
    ("webhook_networks", "WEBHOOK_NETWORKS", ("everybody", "10.0.0.1/8", "0.0.0.0/0", "::/0")),
    ("outbound_proxy", "OUTBOUND_PROXY", ("proxy:3128", "https://proxy:3128", "http://a:s3cr3t@proxy")),
    ("trusted_proxies", "TRUSTED_PROXIES", ("everybody", "0.0.0.0/0")),
    ("line_manager_sight", "LINE_MANAGER_SIGHT", ("perhaps",)),
    ("link_check", "LINK_CHECK", ("weekly",)),
    ("oidc_issuer", "OIDC_ISSUER", ISSUERS),
    ("oidc_match_claim", "OIDC_MATCH_CLAIM", ("email", "preferred_username", "Email", "employee id")),
    ("oidc_match_field", "OIDC_MATCH_FIELD", ("email", "E-mail", "staff number")),
    ("second_factor", "SECOND_FACTOR", ("optional", "yes")),
    ("oidc_acr", "OIDC_ACR", ("é", "x" * 201)),
    ("oidc_amr", "OIDC_AMR", ("mfa é",)),
    ("oidc_label", "OIDC_LABEL", ("x" * 61, "your\naccount")),
    ("local_sign_in", "LOCAL_SIGN_IN", ("nobody", "administrators")),
    ("security_contact", "SECURITY_CONTACT", ("security@westshire.example", "http://westshire.example")),
    ("brand_colour", "BRAND_COLOUR", ("red", "#ffff00", "#12345")),
    ("idle_minutes", "SESSION_IDLE_MINUTES", ("0", "an hour", "1441")),
    ("absolute_hours", "SESSION_ABSOLUTE_HOURS", ("0", "12h", "169")),
    ("returns", "RETURN_KEY_FILE", ("/nowhere/return-key.pem", "/dev/null")),
    ("returns", "RETURN_FORCE", ("West shire", "west_shire", "x" * 61)),
    ("returns", "COORDINATOR", ("yes",)),
    ("returns", "COORDINATOR_KEY", ("key", "A" * 44)),
    ("feature_settings", "IMPORT_FOLDER", ("drop", "./drop")),
    ("feature_settings", "IMPORT_FOLDER_MOST_ENDED", ("101", "5%")),
    ("feature_settings", "IMPORT_FOLDER_SETTLE_SECONDS", ("86401", "a while")),
    ("feature_settings", "IMPORT_FOLDER_KEPT_DAYS", ("0", "a month")),
    ("jobs", "JOBS", ("elsewhere",)),
    ("jobs_workers", "JOBS_WORKERS", ("0", "two", "65")),
    ("jobs_lost_seconds", "JOBS_LOST_SECONDS", ("0", "30s")),
    ("jobs_kept_days", "JOBS_KEPT_DAYS", ("6", "a week")),
    ("small_number", "SMALL_NUMBER", ("4", "101", "few")),
    ("features", "FEATURES", ("nowhere",)),
    ("smtp_host", "SMTP_HOST", ("smtp://relay", "re lay")),
    ("smtp_port", "SMTP_PORT", ("smtp", "0", "70000")),
    ("smtp_tls", "SMTP_TLS", ("ssl3",)),
    ("smtp_from", "SMTP_FROM", ("nobody",)),
    ("smtp_authorities", "SMTP_CA_FILE", ("/nowhere/ca.pem",)),
    ("smtp_per_minute", "SMTP_PER_MINUTE", ("0", "many")),
    ("smtp_seconds", "SMTP_TIMEOUT_SECONDS", ("0", "half")),
    ("mail_from_time", "MAIL_FROM_TIME", ("7", "21:00")),
    ("mail_until_time", "MAIL_UNTIL_TIME", ("late",)),
    ("mail_bank_holidays", "MAIL_ON_BANK_HOLIDAYS", ("perhaps",)),
    ("mail_days_off", "MAIL_DAYS_OFF", ("Christmas",)),
]
FREE = {
    "demo_password",
    "smtp_user",
    "smtp_password",
    "oidc_client_id",
    "oidc_client_secret",
}  # whatever is written there may be meant


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A good production setting in an environment that holds nothing else of the portal's."""
    for name in {*OPENID, *(name for _, name, _ in WRONG)}:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**GOOD, "INSTANCE_DIR": str(tmp_path), "SMTP_FROM": "a@b.example"}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_every_setting_is_tried_here() -> None:
    # tests/features/saml/responses/test_saml_settings.py and tests/platform/backups/test_backup_settings.py
    elsewhere = {"feature_settings", "backup"}
    assert {field for field, _, _ in WRONG} | FREE | elsewhere == {field.name for field in fields(Config)}


@pytest.mark.parametrize(("name", "value"), [(name, value) for _, name, values in WRONG for value in values])
def test_a_wrong_value_is_one_sentence_that_names_its_setting(environment, name, value) -> None:
    if name == "SMTP_FROM":
        environment.setenv("SMTP_HOST", "relay")
    for other, good in OPENID.items() if name.startswith("OIDC_") else ():
        environment.setenv(other, good)
    environment.setenv(name, value)

    with pytest.raises(ConfigError) as refused:
        Config()

    (sentence,) = refused.value.sentences
    assert name in sentence
    assert name != "SECRET_KEY" or value not in sentence


@pytest.mark.parametrize("missing", OPENID)
def test_a_sign_in_that_is_set_in_part_names_what_is_missing(environment, missing) -> None:
    for name, value in OPENID.items():
        environment.setenv(name, value)
    Config()
    environment.delenv(missing)

    with pytest.raises(ConfigError, match=f"^{missing} must be set too"):
        Config()


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9000", "https://login.example/realms/west"])
def test_a_provider_is_taken_over_https_or_on_this_machine(environment, issuer) -> None:
    for name, value in {**OPENID, "OIDC_ISSUER": issuer}.items():
        environment.setenv(name, value)

    assert not Config().passwords_for_everyone


@pytest.mark.parametrize("name", ["SECRET_KEY", "PUBLIC_URL"])
def test_what_production_needs_is_named_where_it_is_missing(environment, name) -> None:
    environment.delenv(name)

    with pytest.raises(ConfigError, match=f"^{name} is missing"):
        Config()


def test_several_wrong_settings_are_all_named(environment) -> None:
    for name, value in (("PORT", "abc"), ("BRAND_COLOUR", "red"), ("SECRET_KEY", "a" * 64), ("JOBS", "x")):
        environment.setenv(name, value)

    with pytest.raises(ConfigError) as refused:
        Config()

    begin = [sentence.split()[0].rstrip(":") for sentence in refused.value.sentences]
    assert begin == ["SECRET_KEY", "PORT", "BRAND_COLOUR", "JOBS"]


@pytest.mark.parametrize(
    "made", [secrets.token_hex, secrets.token_urlsafe, lambda many: secrets.token_hex(16)]
)
def test_random_secrets_are_taken(environment, made) -> None:
    for _ in range(50):
        environment.setenv("SECRET_KEY", made(32))
        Config()


def typed(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a person gets who types this with no other environment than that."""
    given = {"PATH": os.environ["PATH"], **environment}
    if words[0] != "serve.py":
        return command(given, *words)
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = Forked("serve.py", words[1:], given, out, err)
        try:
            code = process.wait(timeout=PATIENCE)
        finally:
            process.kill()
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())


@pytest.mark.parametrize("words", [("backup", "file"), ("db", "upgrade"), ("serve.py",)])
def test_wrong_settings_end_what_is_typed_with_sentences_and_2(tmp_path, words) -> None:
    done = typed(*words, INSTANCE_DIR=str(tmp_path), PORT="abc", BRAND_COLOUR="red")

    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.split()[0].rstrip(":") for line in lines] == [
        "SECRET_KEY", "PUBLIC_URL", "PORT", "BRAND_COLOUR",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--help",), "restore"),
        (("report", "--help"), "completions"),
        (("db", "upgrade", "--help"), "Upgrade to a later version"),
        (("report", "completions", "--help"), "--as-known-on"),
        (("serve.py", "--help"), "Usage: python serve.py"),
    ],
)
def test_help_needs_no_settings(tmp_path, words, shown) -> None:
    done = typed(*words, INSTANCE_DIR=str(tmp_path))

    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "DATABASE_URL: the database cannot be"),
        ({"DATABASE_URL": "sqlite:////nowhere/portal.sqlite"}, "DATABASE_URL: the database cannot be"),
        ({"BIND": "203.0.113.7"}, "BIND: 203.0.113.7 is no address of this machine."),
    ],
)
def test_a_server_that_could_not_serve_says_why(tmp_path, given, said) -> None:
    done = typed("serve.py", PORTAL_MODE="demo", INSTANCE_DIR=str(tmp_path), PORT=str(free_port()), **given)

    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert said in done.stderr


def test_a_taken_port_is_said(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = typed("serve.py", PORTAL_MODE="demo", INSTANCE_DIR=str(tmp_path), PORT=str(port))

    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert f"PORT {port} of 127.0.0.1 is taken" in done.stderr


@pytest.mark.slow
def test_after_make_run_commands_need_no_environment(small_force, tmp_path) -> None:
    folder = copied(small_force, tmp_path / "instance")
    done = command(settings(folder, 8123), "demo", "prepare")  # what `make run` does before it serves
    assert done.returncode == 0, done.stderr

    program = [str(Path(sys.executable).with_name("flask")), "--app", "wsgi", "accounts", "invite", "D1001"]
    only = {"INSTANCE_DIR": str(folder)}  # where another folder's README would need nothing
    done = subprocess.run(program, cwd=ROOT, env=only, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "http://127.0.0.1:8123/" in done.stdout

    for name, value in (("SECRET_KEY", secrets.token_hex(32)), ("PUBLIC_URL", "https://a.example")):
        refused = typed("accounts", "invite", "D1001", INSTANCE_DIR=str(folder), **{name: value})
        assert refused.returncode == 2  # never taken for the demo: the other one is missing
    assert (folder / "demo").exists()

    production = {**GOOD, "INSTANCE_DIR": str(folder)}
    assert typed("accounts", "invite", "D1001", **production).returncode == 0
    refused = typed("accounts", "invite", "D1001", INSTANCE_DIR=str(folder))
    assert (refused.returncode, "SECRET_KEY is missing" in refused.stderr) == (2, True)


@pytest.mark.slow
def test_a_database_of_another_release_is_said_in_a_sentence(small_force, tmp_path) -> None:
    given = settings(tmp_path / "empty")
    report = ("report", "completions", "--directive", "X", "--format", "csv", "--output", str(tmp_path / "x"))
    empty = command(given, *report)
    assert command(given, "db", "upgrade", "0026").returncode == 0
    older = command(given, *report)

    said = "run flask --app wsgi db upgrade"
    assert (empty.returncode, empty.stderr) == (1, f"Error: The database is empty: {said}\n")
    assert (older.returncode, older.stderr) == (1, f"Error: The database is of an older release: {said}\n")


def test_the_version_is_the_released_one_and_needs_neither_settings_nor_a_database(tmp_path) -> None:
    released = re.search(r"^## (\S+) — ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    empty = typed("version", PORTAL_MODE="demo", INSTANCE_DIR=str(tmp_path / "instance"))
    wrong = typed("version", PORTAL_MODE="staging", INSTANCE_DIR=str(tmp_path), PORT="abc")

    assert released
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == released[1]
    lines = empty.stdout.splitlines()
    assert lines[0] == f"Portal {released[1]}"
    assert [line.split()[0] for line in lines[1:]] == ["Python", "Flask", "Werkzeug"]
    assert (empty.returncode, wrong.returncode, wrong.stdout) == (0, 0, empty.stdout)
