"""The demo's own returns: signed with a key that is its own, and beside the rest in a comparison."""

import stat

import pytest

from config import Config
from portal.features.returns.building import (
    check_return,
    find_comparison_key,
    find_own_public_key,
    own_short_name,
)
from portal.features.returns.comparisons import read_own_comparison
from portal.features.returns.queries import list_comparisons, list_made_returns
from portal.platform import clock
from tests.databases import portal_on
from tests.running import copied

pytestmark = pytest.mark.slow


def test_the_force_made_its_returns_and_reads_itself_beside_the_rest(small_force, tmp_path):
    here = copied(small_force, tmp_path / "here")
    key_file = here / "return-key.pem"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600

    with portal_on(Config(mode="demo", secret_key="k" * 32, instance=here)) as app, app.app_context():
        made, keys = list_made_returns(), {1: find_own_public_key()}
        checked = [
            check_return(each.row.content, keys, clock.today(), force=own_short_name()) for each in made
        ]
        compared = read_own_comparison(list_comparisons()[0].period, find_comparison_key())

    assert len(made) >= 5
    assert all(each.has_passed for each in checked)
    assert len({each.content.counts[0].complete for each in checked}) > 1
    assert compared.number == 1
    assert all(row.own_share and len(row.compared.shares) > 30 for row in compared.standings)
