"""Features are switched off and deleted without the core noticing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import Config
from deploy.run_as_server import list_typed_paths
from portal.app import create_app
from portal.feature import choose_features, list_feature_faults, list_features

ROOT = Path(__file__).resolve().parents[2]
NAMES = [feature.name for feature in list_features()]
README_LINES = 40
# They hold documents and figures that whoever deletes a feature writes anew.
OF_DOCUMENTS = ("tests/architecture/test_documents.py", "tests/architecture/test_security_table.py")
QUICK = ("--quick", "-m", "not postgresql and not browser and not slow and not sweep")

# Prints what the portal imports of features, but for their manifests, where only the named ones are on.
IMPORTS_OF = """
import sys
from config import Config
from portal.app import create_app

create_app(Config(mode="demo", features=sys.argv[1]))
names = (name for name in sys.modules if name.startswith("portal.features.") and name.count(".") > 2)
print(*(name for name in names if not name.endswith(".feature")))
"""


OF_FILES = {"icalendar", "psycopg", "typst", "xlsxwriter"}  # each loaded where a file is made


def run_python(*words, cwd=ROOT):
    """Run Python as the tests do, in a process of its own; what it printed."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PORTAL_MODE": "demo"}
    done = subprocess.run(
        [sys.executable, *words], cwd=cwd, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_all_and_none_can_be_chosen():
    assert [feature.name for feature in choose_features("all")] == NAMES
    assert choose_features("") == ()


def test_a_feature_that_another_needs_cannot_be_left_out():
    needing = [(feature.name, need) for feature in list_features() for need in feature.needs]

    assert [f"FEATURES: {name} needs {need}." in list_feature_faults(name) for name, need in needing] == [
        True
    ] * len(needing)
    assert list_feature_faults("all") == list_feature_faults("") == []


def test_a_feature_that_is_off_has_no_address_and_no_command(tmp_path):
    core, whole = (
        create_app(Config(mode="demo", instance=tmp_path, secret_key="k" * 64, features=features))
        for features in ("", "all")
    )
    of_features = whole.blueprints.keys() - core.blueprints.keys()
    added = {rule.endpoint for rule in whole.url_map.iter_rules()} - {
        rule.endpoint for rule in core.url_map.iter_rules()
    }

    assert of_features
    assert {endpoint.partition(".")[0] for endpoint in added} <= of_features


def test_who_runs_commands_as_the_server_may_give_a_feature_a_file():
    assert list(list_typed_paths(["dip-samples", "import", "counts.csv"])) == [("counts.csv", True)]


@pytest.mark.slow
def test_commands_of_features_are_listed_where_settings_are_wrong(monkeypatch):
    monkeypatch.setenv("LINK_CHECK", "perhaps")

    listed = run_python("-m", "flask", "--app", "wsgi", "--help")

    assert {"accounts", "event-types", "webhooks"} <= set(listed.split())


@pytest.mark.slow
def test_of_one_feature_that_is_on_alone_no_other_is_imported():
    on = next(feature.name for feature in list_features() if not feature.needs)

    imported = run_python("-c", IMPORTS_OF, on).split()

    assert {name.split(".")[2] for name in imported} == {on}


@pytest.mark.slow
def test_a_starting_portal_loads_no_library_that_only_makes_files():
    """Each process would hold it: what one of them loads when it is needed, the others never do."""
    imported = run_python(
        "-c", "import sys, portal.app as portal\nportal.create_app()\nprint(*sys.modules)"
    ).split()

    assert "sqlalchemy" in imported
    assert not OF_FILES.intersection(imported)


@pytest.mark.slow
def test_the_main_job_is_done_without_importing_any_feature(tmp_path):
    imported = run_python("-m", "tests.features.main_job", str(tmp_path)).split()

    manifests = {f"portal.features.{name}{end}" for name in NAMES for end in ("", ".feature")}
    assert set(imported) <= manifests


@pytest.mark.sweep
@pytest.mark.parametrize("name", [name for name in ("events", "returns", "webhooks") if name in NAMES])
def test_a_feature_that_is_deleted_leaves_a_core_whose_tests_pass(tmp_path, name):
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    gone = {name} | {feature.name for feature in list_features() if name in feature.needs}
    folders = tuple(f"{top}/features/{one}/" for one in gone for top in ("portal", "tests"))
    for file in files:
        if not file.startswith(folders) and (ROOT / file).exists():
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, tmp_path / file)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)  # tests ask which files there are
    static = "portal/pages/layout/static"
    shutil.copytree(ROOT / static, tmp_path / static)
    for drawn in ("data_model", "personal_data", "settings", "formats"):
        run_python("-m", f"docs.draw_{drawn}", cwd=tmp_path)

    left_out = [word for file in OF_DOCUMENTS for word in ("--ignore", file)]
    run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", *QUICK, *left_out, cwd=tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_each_feature_says_what_it_is_in_forty_lines(name):
    lines = (ROOT / "portal" / "features" / name / "README.md").read_text().splitlines()

    assert 0 < len(lines) <= README_LINES
    assert max(map(len, lines)) <= 100


def needed_by(name):
    """The features that this one needs, and those that they need."""
    needs = {feature.name: feature.needs for feature in list_features()}[name]
    return {*needs, *(further for need in needs for further in needed_by(need))}


@pytest.mark.parametrize("name", NAMES)
def test_a_feature_imports_only_those_that_it_needs(name):
    imported = {
        found
        for path in (ROOT / "portal" / "features" / name).rglob("*.py")
        for found in re.findall(r"\bportal\.features\.(\w+)", path.read_text())
    }

    assert imported <= needed_by(name) | {name}
