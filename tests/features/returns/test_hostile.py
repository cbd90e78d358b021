"""Returns and comparisons that no honest force sends: replayed, forged, absurd, or of somebody else."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from portal.features.returns.models import ForceReturn
from portal.features.returns.services import (
    ReturnRefusedError,
    StatedForce,
    add_key,
    check_received_return,
    receive_return,
    register_force,
)
from portal.platform.db import db, transaction
from portal.platform.signing.documents import sign_document
from portal.platform.signing.keys import take_fingerprint
from tests.features.returns.making import make_content, make_key, public_key, sign

pytestmark = pytest.mark.usefixtures("database")
MAY, BEGIN = datetime(2026, 5, 6, 9, tzinfo=UTC), date(2026, 1, 1)


def register(key: str, seed: int) -> None:
    with transaction():
        register_force(key, StatedForce(f"{key.title()} Constabulary", 2_000, BEGIN), at=MAY, by=None)
        told = take_fingerprint(public_key(seed))
        add_key(key, public_key(seed), read_out=told, from_on=BEGIN, at=MAY, by=None)


def refused(content: bytes, at: datetime = MAY) -> set[str]:
    """The checks that a file fails on its way in; nothing of it is kept."""
    with time_machine.travel(at, tick=False), pytest.raises(ReturnRefusedError) as caught, transaction():
        receive_return(content, at=at, by=None)
    assert db.session.scalar(select(func.count()).select_from(ForceReturn)) == 0
    return {check for check, _ in caught.value.checked.faults}


def changed(**changes: Any) -> bytes:
    """A return with other parts, properly signed by its force all the same."""
    return sign_document({**make_content().to_document(), **changes}, make_key())


@pytest.mark.parametrize(
    "key",
    [
        "north\x00mere",
        "nоrthmere",
        "northmere\u200b",
        "northmere ",
        "NORTHMERE",
        "northmere\n",
        "\u202e",
        "x" * 500_000,
    ],
)
def test_a_force_by_another_name_is_no_force(key: str) -> None:
    register("northmere", 1)
    document = make_content().to_document()
    assert refused(sign_document({**document, "force": {"key": key, "name": "x"}}, make_key()))


@pytest.mark.parametrize(
    "changes",
    [
        {"as_known_on": "2026-13-45T99:99:99Z"},
        {"as_known_on": "2026-05-07T08:00:00Z"},
        {"as_known_on": "2099-01-01T00:00:00Z"},
        {"as_known_on": "2026-04-30T10:00:00Z\n"},
        {"as_at": "2026-03-31"},
        {"as_at": "2026-04-31"},
        {"period": "2026-05", "as_at": "2026-05-31"},
        {"period": "2026-04\n"},
        {"period": "２０２６-04"},
        {"number": 1.0},
        {"number": True},
        {"number": 2**63},
        {"number": 0},
        {"small_number": 2},
        {"threshold": "1e-3"},
        {"figures": []},
        {"definitions": []},
        {"more": 1},
    ],
)
def test_what_a_force_signs_must_still_be_a_return(changes: dict[str, Any]) -> None:
    register("northmere", 1)
    assert refused(changed(**changes))


@pytest.mark.parametrize("count", [-1, 30.0, 1e3, True, "30", 10**18, 31, 29, None])
def test_no_other_number_passes_for_a_count(count: Any) -> None:
    register("northmere", 1)
    figures = make_content().to_document()["figures"]
    figures[0]["complete"] = count
    assert refused(changed(figures=figures))


@pytest.mark.parametrize("group", ["Constable\u202e", "Con\u200bstable", "Constable\ufeff", "\u2028"])
def test_a_group_has_no_letters_that_nobody_sees(group: str) -> None:
    register("northmere", 1)
    figures = make_content().to_document()["figures"]
    for figure in figures:
        figure["group"] = figure["group"].replace("Constable", group)
    assert refused(changed(figures=figures)) == {"schema"}


def test_a_return_signed_with_the_key_of_another_force_is_refused() -> None:
    register("northmere", 1)
    register("southmere", 2)
    assert refused(sign(make_content(), 2)) == {"signature"}
    assert refused(sign(make_content(force="southmere"), 1)) == {"signature"}


def test_an_unregistered_key_and_a_swapped_one_in_the_file_prove_nothing() -> None:
    register("northmere", 1)
    document = json.loads(sign(make_content(31), 3))
    document["signature"]["public_key"] = public_key(1)
    assert refused(json.dumps(document).encode()) >= {"signature"}


@pytest.mark.parametrize(
    "file",
    [
        b"[" * 300_000,
        b'{"a":' * 90_000,
        b'{"force": {"key": ' + b"9" * 4_000 + b"}}",
        b'{"force": {"key": NaN}}',
        b'{"force": {"key": "northmere", "key": "southmere"}}',
        b'{"force": [1]}',
        b" " * 700_001,
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_asked(file: bytes) -> None:
    assert refused(file) == {"schema"}
    assert check_received_return(file, MAY).content is None


def test_a_replayed_return_of_the_past_stays_the_past() -> None:
    register("northmere", 1)
    with time_machine.travel(MAY, tick=False), transaction():
        receive_return(sign(make_content()), at=MAY, by=None)
        second = make_content(40, number=2, reason="Two stations were counted twice.")
        receive_return(sign(second), at=MAY, by=None)
        assert receive_return(sign(make_content()), at=MAY, by=None).was_known
    rows = db.session.scalars(select(ForceReturn).order_by(ForceReturn.id)).all()
    assert [row.number for row in rows] == [1, 2]
