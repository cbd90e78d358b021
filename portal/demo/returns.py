"""The demo's coordinating unit: forty-three plainly fictional forces, and the returns they sent for a year.

Each return is written, signed and received as a real one is. Some come late, some never, some are corrected;
four forces hide small numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.demo.return_figures import REQUIREMENTS, ForcePace, choose_pace, count_month, hide_counts
from portal.domain.returns.content import ReturnContent, last_day_of
from portal.domain.returns.registration import StatedForce, add_key, ask_for_returns, register_force
from portal.domain.returns.services import receive_return
from portal.platform.clock import format_utc
from portal.platform.months import list_full_months
from portal.platform.signing.documents import sign_document
from portal.platform.signing.keys import take_fingerprint, write_public_key

Act = Callable[[], None]
MONTHS, DUE_DAYS = 12, 14  # how many months back, and how long after its end a month is due
SEED, SMALL = 43, 5
FORCE_NAMES = """
    Northmere Southfold Eastfold Westmoor Amberfold Blackmarsh Brindleshire Calderwick Copperdale Dunmarsh
    Easterley Fairholt Fenborough Gorseland Greyhaven Harrowdale Hartsea Highfell Ironvale Kestrelshire
    Kingsmarsh Lakenshire Larkmere Longmere Marlowshire Meadowsea Millstone Netherfold Oakmere Otterdale
    Pennywick Quarryshire Ravensmoor Redfordshire Saltmarsh Silverfold Stonewick Thornshire Underwold
    Valeshire Whitmoor Yarrowdale Zennorshire
""".split()
STYLES = ("Constabulary", "Police", "Police Service")
LATE, MISSING, CORRECTED = 0.07, 0.025, 0.05  # of all returns
HIDES = {"fairholt", "hartsea", "millstone", "quarryshire"}  # send no small numbers, and nothing by role
STOPPED_FORCE = "greyhaven"  # sends no returns after half a year
REASONS = (
    "Completions of one unit had been counted twice.",
    "People who had left were still counted.",
    "A late file of another learning system was added.",
)


@dataclass(frozen=True, slots=True)
class FictionalForce:
    """A force of the demo, with the key that signs its returns."""

    key: str
    name: str
    headcount: int
    pace: ForcePace
    private_key: Ed25519PrivateKey


def make_forces(random: Random) -> list[FictionalForce]:
    """Make the forty-three forces; the same for the same random numbers."""
    forces = []
    for number, name in enumerate(FORCE_NAMES):
        headcount = round(random.choice((900, 1_400, 2_100, 3_200, 4_800, 7_600)) * random.uniform(0.8, 1.25))
        forces.append(
            FictionalForce(
                key=name.lower(),
                name=f"{name} {STYLES[number % len(STYLES)]}",
                headcount=headcount,
                pace=choose_pace(random, headcount),
                private_key=Ed25519PrivateKey.from_private_bytes(random.randbytes(32)),
            )
        )
    return forces


def schedule_returns(today: date, by: int, days: Mapping[date, list[Act]]) -> None:
    """Schedule what the coordinating unit does, day by day, up to today.

    Args:
        today: The last day.
        by: Who registers forces and receives their returns.
        days: What is done at the end of each day; this adds to it.
    """
    random = Random(SEED)  # noqa: S311 - repeatable returns, not secrets: their keys sign nothing else
    forces, periods = make_forces(random), list_periods(today)
    first_day = last_day_of(periods[0]) - timedelta(days=10)
    days[first_day].append(partial(_register_forces, forces, first_day, by))
    for month, period in enumerate(periods):
        last_day = last_day_of(period)
        due = last_day + timedelta(days=DUE_DAYS)
        asked_on = last_day - timedelta(days=5)
        days[asked_on].append(partial(_ask_for_period, period, due, asked_on, by))
        for force in forces:
            for day, file in _write_returns(force, month, period, random):
                if day <= today:
                    days[day].append(partial(_receive_file, file, day, by))


def list_periods(today: date) -> list[str]:
    """The last twelve months that have ended, the earliest first."""
    return [f"{month:%Y-%m}" for month in list_full_months(MONTHS, today - timedelta(days=1))]


def _write_returns(
    force: FictionalForce, month: int, period: str, random: Random
) -> list[tuple[date, bytes]]:
    """Write the returns of a force for a month, each with the day on which it comes; it may send none."""
    chance, last_day = random.random(), last_day_of(period)
    day = last_day + timedelta(days=random.randint(3, DUE_DAYS))
    if chance < MISSING or (force.key == STOPPED_FORCE and month >= MONTHS // 2):
        return []
    if chance < MISSING + LATE:
        day = last_day + timedelta(days=DUE_DAYS + random.randint(1, 12))
    if random.random() >= CORRECTED:
        return [(day, _sign_return(force, month, period, day))]
    miscounted = random.randint(8, 40)
    later = day + timedelta(days=random.randint(6, 35))
    return [
        (day, _sign_return(force, month, period, day, miscounted=miscounted)),
        (later, _sign_return(force, month, period, later, number=2, reason=random.choice(REASONS))),
    ]


def _sign_return(
    force: FictionalForce,
    month: int,
    period: str,
    day: date,
    *,
    number: int = 1,
    reason: str = "",
    miscounted: int = 0,
) -> bytes:
    counts = count_month(force.pace, month, miscounted)
    content = ReturnContent(
        force=force.key,
        force_name=force.name,
        period=period,
        number=number,
        reason=reason,
        as_at=last_day_of(period).isoformat(),
        as_known_on=format_utc(_morning_of(day)),
        directive="OIC-2026",
        title="Organised immigration crime e-learning (fictional)",
        version=1,
        threshold="0.9500",
        population="Everyone in contact, custody, investigation, neighbourhood or response.",
        small_number=SMALL if force.key in HIDES else None,
        requirements=REQUIREMENTS,
        counts=hide_counts(counts, SMALL) if force.key in HIDES else counts,
    )
    return sign_document(content.to_document(), force.private_key)


def _morning_of(day: date) -> datetime:
    return datetime.combine(day, time(8), UTC)


def _register_forces(forces: list[FictionalForce], day: date, by: int) -> None:
    at = _morning_of(day)
    for force in forces:
        register_force(force.key, StatedForce(force.name, force.headcount, day), at=at, by=by)
        public_key = write_public_key(force.private_key)
        fingerprint = take_fingerprint(public_key)
        add_key(force.key, public_key, read_out=fingerprint, from_on=day, at=at, by=by)


def _ask_for_period(period: str, due: date, day: date, by: int) -> None:
    ask_for_returns(period, due, at=_morning_of(day), by=by)


def _receive_file(file: bytes, day: date, by: int) -> None:
    receive_return(file, at=_morning_of(day), by=by)
