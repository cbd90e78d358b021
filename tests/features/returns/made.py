"""Returns on a running server: one of the force's own, a comparison, and a force that is registered."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from config import Config
from portal.domain.directives.queries import list_directives
from portal.features.returns.building import load_own_key
from portal.features.returns.comparisons import COMPARISON_FORMAT, keep_comparison
from portal.features.returns.content import DEFINITIONS
from portal.features.returns.queries import list_newest_returns
from portal.features.returns.services import (
    StatedForce,
    add_key,
    keep_own_return,
    prepare_own_return,
    receive_return,
    register_force,
)
from portal.platform import clock
from portal.platform.db import read_stamps, transaction
from portal.platform.signing.documents import sign_document
from portal.platform.signing.keys import make_key_file, take_fingerprint, write_public_key
from tests.databases import portal_on
from tests.features.returns.making import make_content, public_key, sign

FORCE = "sweepshire"


def make_returns(instance: Path) -> dict[str, str]:
    """Make returns in the database of an instance folder; what addresses of them name."""
    config = Config(mode="demo", secret_key="k" * 32, instance=instance)
    with portal_on(config) as app, app.app_context():
        return keep_returns(instance)


def keep_returns(instance: Path) -> dict[str, str]:
    """What addresses of returns name: a month, a force and the fingerprint of its key."""
    if not (instance / "return-key.pem").exists():
        make_key_file(instance / "return-key.pem")
    now = clock.now()
    month = (clock.today().replace(day=1) - timedelta(days=1)).isoformat()[:7]
    directive = min(held.reference for held in list_directives())
    content = prepare_own_return(directive, month, hide=False, now=now, newest=read_stamps()[0])
    received = replace(make_content(), force=FORCE, force_name="Sweepshire Constabulary")
    with transaction():
        if not list_newest_returns(month):
            keep_own_return(content, load_own_key(), at=now, by=None)
        register_force(FORCE, StatedForce("Sweepshire Constabulary", 2_000, clock.today()), at=now, by=None)
        told = take_fingerprint(public_key(9))
        add_key(FORCE, public_key(9), read_out=told, from_on=clock.today(), at=now, by=None)
    with transaction():
        receive_return(sign(received, 9), at=now, by=None)
        keep_comparison(_write_comparison(month), write_public_key(load_own_key()), at=now, by=None)
    return {"month": month, "force": FORCE, "fingerprint": told}


def _write_comparison(month: str) -> bytes:
    document = {
        "format": COMPARISON_FORMAT,
        "period": month,
        "as_at": clock.today().isoformat(),
        "as_known_on": clock.format_utc(clock.now()),
        "asked": 12,
        "returned": 10,
        "definitions": [{"term": term, "meaning": meaning} for term, meaning in DEFINITIONS],
        "requirements": [
            {
                "key": "",
                "title": "The whole directive",
                "complete": 450,
                "counted": 1_000,
                "shares": [12, 20, 25, 33, 40, 50, 50, 60, 75, 90],
            }
        ],
    }
    return sign_document(document, load_own_key())
