"""A feature that is off has no address, and none of its code is imported."""

import subprocess
import sys

import pytest

from config import ROOT
from portal.feature import list_features

SCRIPT = """
import sys
from config import Config
from portal.app import create_app

app = create_app(Config(mode="demo", features=sys.argv[1]))
print(*(name for name in sys.modules if name.startswith("portal.features.") and name.count(".") > 2))
print(*(rule.endpoint.partition(".")[0] for rule in app.url_map.iter_rules()))
"""


@pytest.mark.slow
def test_what_is_off_is_not_imported_and_has_no_address():
    """All but one feature that needs no other."""
    on = next(feature.name for feature in list_features() if not feature.needs)
    others = {feature.name for feature in list_features()} - {on}

    words = [sys.executable, "-c", SCRIPT, on]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    modules, rooms = (line.split() for line in told.splitlines())

    imported = {name.split(".")[2] for name in modules if not name.endswith(".feature")}
    assert imported == {on}
    assert others.isdisjoint(rooms)
