"""Forces, their keys and their returns, at the coordinating unit; and the returns that a force makes."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
import time_machine
from sqlalchemy import func, select

from portal.features.returns.building import build_return
from portal.features.returns.content import ReturnContent
from portal.features.returns.models import ForceReturn, OwnReturn, ReturnFigure
from portal.features.returns.queries import find_own_return, list_forces, list_keys, list_periods
from portal.features.returns.services import (
    ReceivedReturn,
    RegistrationError,
    ReturnRefusedError,
    StatedForce,
    add_key,
    ask_for_returns,
    change_force_details,
    end_key,
    keep_own_return,
    log_refused_return,
    receive_return,
    register_force,
)
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.signing.keys import take_fingerprint
from tests.features.returns.making import make_content, make_key, public_key, sign
from tests.pages.monitoring.world import APRIL, TODAY, make_world

MAY = datetime(2026, 5, 6, 9, tzinfo=UTC)
BEGIN = date(2026, 1, 1)


def register_key(key: str, public: str, from_on: date = BEGIN) -> None:
    told = take_fingerprint(public)[:32].upper()
    add_key(key, public, read_out=f"{told[:16]} {told[16:]}", from_on=from_on, at=MAY, by=None)


def register(key: str = "northmere", seed: int = 1) -> None:
    with transaction():
        register_force(key, StatedForce("Northmere Constabulary", 2_000, BEGIN), at=MAY, by=None)
        register_key(key, public_key(seed))


def receive(content: ReturnContent, at: datetime = MAY, seed: int = 1) -> ReceivedReturn:
    with time_machine.travel(at, tick=False), transaction():
        return receive_return(sign(content, seed), at=at, by=None)


def correction(number: int, complete: int = 40) -> ReturnContent:
    return make_content(complete, number=number, reason="Two stations were counted twice.")


@time_machine.travel(MAY, tick=False)
def test_a_return_is_kept_byte_for_byte_with_its_counts_in_a_table(database: None) -> None:
    register()
    content = make_content()

    received = receive(content)

    kept = db.session.get_one(ForceReturn, received.id)
    rows = db.session.scalars(select(ReturnFigure).where(ReturnFigure.force_return_id == kept.id)).all()
    assert (kept.content, kept.received_on, kept.number) == (sign(content), MAY.date(), 1)
    assert {(row.requirement, row.grouping, row.group_name): (row.assigned, row.excluded, row.complete)
            for row in rows} == {count.counted_group: count.numbers for count in content.counts}  # fmt: skip
    assert db.session.scalar(select(AuditEvent.action).order_by(AuditEvent.id.desc())) == "return.received"


@time_machine.travel(MAY, tick=False)
def test_the_same_return_twice_is_kept_once_and_another_with_its_number_is_refused(database: None) -> None:
    register()
    first = receive(make_content())
    laid_out = json.dumps(json.loads(sign(make_content())), indent=3).encode()
    with transaction():
        again = receive_return(laid_out, at=MAY, by=None)

    with pytest.raises(ReturnRefusedError, match="A correction has the next number"):
        receive(make_content(31))

    assert (again.id, again.was_known) == (first.id, True)
    assert db.session.scalar(select(func.count()).select_from(ForceReturn)) == 1


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_in_whichever_order_corrections_come_each_replaces_a_lower_one(
    database: None, order: tuple[int, ...]
) -> None:
    with time_machine.travel(MAY, tick=False):
        register()
    contents = {1: make_content(), 2: correction(2, 40), 3: correction(3, 50)}
    notes = []
    for place, number in enumerate(order):
        notes += receive(contents[number], MAY + timedelta(hours=place)).notes

    rows = {row.id: row for row in db.session.scalars(select(ForceReturn))}
    replaced = {row.replaces_id for row in rows.values()} - {None}
    assert sorted(row.number for row in rows.values()) == [1, 2, 3]
    assert all(rows[row.replaces_id].number < row.number for row in rows.values() if row.replaces_id)
    assert next(row.id for row in rows.values() if row.number == 3) not in replaced
    assert bool(notes) is (order != (1, 2, 3))


@time_machine.travel(MAY, tick=False)
def test_a_return_on_another_directive_replaces_none_and_is_refused(database: None) -> None:
    register()
    first = receive(make_content())
    with transaction():
        register_force("southmere", StatedForce("Southmere Police", 900, BEGIN), at=MAY, by=None)
        register_key("southmere", public_key(2))
    other = replace(correction(2), directive="OIC-HYDRA-2026")
    sentence = "It is on OIC-HYDRA-2026, and the returns received before are on OIC-2026"

    with pytest.raises(ReturnRefusedError, match=sentence) as refused:
        receive(other)
    with pytest.raises(ReturnRefusedError, match=sentence):
        receive(replace(other, force="southmere", force_name="Southmere Police"), seed=2)

    assert [check for check, _ in refused.value.checked.faults] == ["directive"]
    assert db.session.scalars(select(ForceReturn.id)).all() == [first.id]


@time_machine.travel(MAY, tick=False)
def test_a_key_counts_from_its_first_day_until_the_day_on_which_it_ends(database: None) -> None:
    register()
    old = take_fingerprint(public_key(1))
    with transaction():
        register_key("northmere", public_key(2), date(2026, 5, 1))
        end_key("northmere", old, from_on=date(2026, 5, 5), at=MAY, by=None)

    with pytest.raises(ReturnRefusedError, match="No key that this force had on the day"):
        receive(make_content())
    assert receive(make_content(), seed=2).number == 1
    (keys,) = list_keys().values()
    assert [(key.is_valid_on(date(2026, 5, 4)), key.is_valid_on(date(2026, 5, 5))) for key in keys] == [
        (True, True),
        (True, False),
    ]


@time_machine.travel(MAY, tick=False)
def test_a_refused_return_is_logged_with_the_checks_that_it_failed(database: None) -> None:
    with pytest.raises(ReturnRefusedError) as refused:
        receive(make_content())
    with transaction():
        log_refused_return(refused.value, by=None)

    event = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.detail["checks"]) == ("return.refused", "signature")
    assert db.session.scalar(select(func.count()).select_from(ForceReturn)) == 0


@time_machine.travel(MAY, tick=False)
def test_a_forces_name_and_size_hold_from_their_day(database: None) -> None:
    register()
    with transaction():
        stated = StatedForce("Northmere Police", 2_100, date(2026, 4, 1))
        change_force_details("northmere", stated, at=MAY, by=None)

    assert [force.name for force in list_forces(date(2026, 3, 31))] == ["Northmere Constabulary"]
    assert [(force.name, force.headcount) for force in list_forces(MAY.date())] == [
        ("Northmere Police", 2_100)
    ]
    assert list_forces(date(2025, 12, 31)) == []
    assert list_forces(MAY.date(), MAY - timedelta(days=1)) == []


@time_machine.travel(MAY, tick=False)
@pytest.mark.parametrize(
    ("key", "stated", "field"),
    [
        ("North mere", StatedForce("N", 1, BEGIN), "key"),
        ("northmere", StatedForce("N", 1, BEGIN), "key"),
        ("southmere", StatedForce(" ", 1, BEGIN), "name"),
        ("southmere", StatedForce("S", 0, BEGIN), "headcount"),
        ("southmere", StatedForce("S", 1, date(2026, 5, 7)), "from_on"),
        ("southmere", StatedForce("S", 1, date(1899, 1, 1)), "from_on"),
    ],
)
def test_a_value_that_cannot_be_registered_is_named_at_its_field(
    database: None, key: str, stated: StatedForce, field: str
) -> None:
    register()
    with pytest.raises(RegistrationError) as refused, transaction():
        register_force(key, stated, at=MAY, by=None)

    assert refused.value.field == field


@time_machine.travel(MAY, tick=False)
def test_a_key_belongs_to_one_force_for_ever(database: None) -> None:
    register()
    with pytest.raises(RegistrationError, match="registered already"), transaction():
        register_key("northmere", public_key(1))
    with pytest.raises(RegistrationError, match="44 characters"), transaction():
        add_key("northmere", "abc", read_out="", from_on=BEGIN, at=MAY, by=None)
    with pytest.raises(RegistrationError, match="44 characters"), transaction():  # anybody signs under it
        add_key("northmere", "A" * 43 + "=", read_out="", from_on=BEGIN, at=MAY, by=None)
    with pytest.raises(RegistrationError, match="no such key"), transaction():
        end_key("northmere", "00", from_on=BEGIN, at=MAY, by=None)
    with pytest.raises(NotFoundError):
        register_key("southmere", public_key(2))


@time_machine.travel(MAY, tick=False)
@pytest.mark.parametrize("told", ["", take_fingerprint(public_key(2))[:31], take_fingerprint(public_key(3))])
def test_a_key_with_another_fingerprint_than_the_force_read_out_is_refused(database: None, told: str) -> None:
    register()
    with pytest.raises(RegistrationError) as refused, transaction():
        add_key("northmere", public_key(2), read_out=told, from_on=BEGIN, at=MAY, by=None)

    assert refused.value.field == "read_out"


@time_machine.travel(MAY, tick=False)
def test_a_period_is_asked_for_once_and_its_day_can_be_moved(database: None) -> None:
    with transaction():
        ask_for_returns("2026-04", date(2026, 5, 10), at=MAY, by=None)
    with transaction():
        ask_for_returns("2026-04", date(2026, 5, 12), at=MAY, by=None)

    assert [(row.period, row.due_on) for row in list_periods()] == [("2026-04", date(2026, 5, 12))]
    for period, due, field in (
        ("2026-04", date(2026, 5, 12), "due_on"),
        ("2026-04", date(2026, 4, 30), "due_on"),
        ("April", date(2026, 5, 12), "period"),
    ):
        with pytest.raises(RegistrationError) as refused, transaction():
            ask_for_returns(period, due, at=MAY, by=None)
        assert refused.value.field == field


def build(known_on: datetime) -> ReturnContent:
    return build_return(
        "OIC-2026",
        "2026-04",
        force="northmere",
        force_name="Northmere",
        known_on=known_on,
        today=TODAY.date(),
    )


def keep(content: ReturnContent, reason: str = "", seed: int = 1) -> OwnReturn:
    with transaction():
        return keep_own_return(content, make_key(seed), at=clock.now(), by=None, reason=reason).row


def test_a_return_made_again_needs_a_change_and_says_why(database: None) -> None:
    with time_machine.travel(TODAY, tick=False):
        make_world()
        keep(build(APRIL.replace(day=30)))
        with pytest.raises(RuleError, match="Nothing has changed since return 1"):
            keep(build(APRIL.replace(day=30, hour=11)))
        with pytest.raises(RuleError, match="Say why"):
            keep(build(TODAY))
        second = keep(build(TODAY), "A pass of April\nreached us late.")
        third = keep(build(TODAY), "Signed with a new key.", seed=2)

        first = find_own_return("2026-04", 1)
        assert [first.number, second.number, third.number] == [1, 2, 3]
        assert second.replaces_id == first.id
        document = json.loads(second.content)
        assert document["reason"] == "A pass of April reached us late."
        assert ReturnContent.from_document(document) == replace(
            build(TODAY), number=2, reason=document["reason"]
        )


def test_returns_of_a_month_are_numbered_and_corrected_by_directive(database: None) -> None:
    with time_machine.travel(TODAY, tick=False):
        make_world()
        other = {"directive": "OIC-HYDRA-2026"}
        first = keep(build(APRIL.replace(day=30)))
        first_of_other = keep(replace(build(APRIL.replace(day=30)), **other))
        second = keep(build(TODAY), "A pass of April reached us late.")
        with pytest.raises(RuleError, match="Nothing has changed since return 1"):
            keep(replace(build(APRIL.replace(day=30)), **other), "Again.")

        made = [first, first_of_other, second]
        assert [json.loads(each.content)["number"] for each in made] == [1, 1, 2]
        assert [each.replaces_id for each in made] == [None, None, first.id]
        assert [find_own_return("2026-04", place).id for place in (1, 2, 3)] == [each.id for each in made]


def test_the_coordinating_unit_receives_a_return_that_a_force_made(database: None) -> None:
    with time_machine.travel(TODAY, tick=False):
        make_world()
        register()
        made = keep(build(TODAY))
        with transaction():
            received = receive_return(made.content, at=TODAY, by=None)

    assert (received.force, received.period, received.number) == ("northmere", "2026-04", 1)
