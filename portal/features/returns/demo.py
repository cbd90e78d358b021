"""The demo's coordinating unit: forty-three plainly fictional forces, and the returns they sent for a year.

Each return is written, signed and received as a real one is. Some come late, some never, some are corrected;
four forces hide small numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import accumulate
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config import current_settings
from portal.domain.reports.foi import is_small
from portal.domain.reports.parameters import Position
from portal.feature import ForceInMaking
from portal.features.returns.building import load_own_key
from portal.features.returns.comparisons import build_comparison, keep_comparison
from portal.features.returns.content import (
    FORCE,
    RANK,
    ROLE,
    WHOLE_DIRECTIVE,
    ReturnContent,
    ReturnCount,
    last_day_of,
)
from portal.features.returns.services import (
    StatedForce,
    add_key,
    ask_for_returns,
    keep_own_return,
    prepare_own_return,
    receive_return,
    register_force,
)
from portal.platform.clock import format_utc, noon
from portal.platform.db import stamp
from portal.platform.months import list_full_months
from portal.platform.signing.documents import sign_document
from portal.platform.signing.keys import make_key_file, take_fingerprint, write_public_key

# Counts of a made-up force in a month: they add up by role and by rank, and grow as a force learns.

PARTS: dict[str, tuple[tuple[str, int, float], ...]] = {  # name, per cent of the force, how far behind it is
    ROLE: (
        ("contact", 16, 0.55),
        ("custody", 7, 0.75),
        ("investigation", 27, 0.95),
        ("neighbourhood", 12, 0.7),
        ("response", 38, 1.4),
    ),
    RANK: (
        ("Constable", 62, 1.15),
        ("Sergeant", 17, 0.8),
        ("Inspector", 6, 0.95),
        ("Police staff", 15, 0.6),
    ),
}
REQUIREMENTS = (
    ("module:recognise", "Recognise"),
    ("module:protect", "Protect"),
    ("module:respond", "Respond"),
    ("module:report", "Report"),
)


@dataclass(frozen=True, slots=True)
class ForcePace:
    """How a force learns.

    Attributes:
        assigned: People at the first month.
        begins: The month in which it begins, from 0.
        rate: The part of those still to complete who complete in a month.
        most: The share at which it stops.
        lags: By grouping, how far behind each of its groups is; 1: as far as the force.
    """

    assigned: int
    begins: int
    rate: float
    most: float
    lags: Mapping[str, Sequence[float]]

    def share_after(self, months: int) -> float:
        """The share complete at the end of a month, from 0 to 1; it never falls."""
        return float(self.most * (1 - (1 - self.rate) ** max(months - self.begins + 1, 0)))


def choose_pace(random: Random, headcount: int) -> ForcePace:
    """How a force of this size learns."""
    return ForcePace(
        assigned=round(headcount * random.uniform(0.38, 0.55)),
        begins=random.choice((0, 0, 0, 1, 1, 2, 4)),
        rate=random.uniform(0.07, 0.3),
        most=random.uniform(0.72, 0.99),
        lags={
            grouping: [lag * random.uniform(0.7, 1.4) for _, _, lag in parts]
            for grouping, parts in PARTS.items()
        },
    )


def count_month(pace: ForcePace, month: int, miscounted: int = 0) -> tuple[ReturnCount, ...]:
    """The counts of a month.

    Args:
        pace: How the force learns.
        month: From 0.
        miscounted: People who are counted complete and are not: a later return corrects it.
    """
    assigned = pace.assigned + month * pace.assigned // 200
    excluded = assigned * 5 // 100
    counted = assigned - excluded
    complete = min(counted, round(counted * pace.share_after(month)) + miscounted)
    counts = _count_groups(pace, WHOLE_DIRECTIVE, counted, excluded, complete)
    for place, (key, _) in enumerate(REQUIREMENTS):  # the first module is the one that most have done
        more = (counted - complete) * (4 - place) // 8
        counts += _count_groups(pace, key, counted, excluded, complete + more)
    return tuple(counts)


def _count_groups(
    pace: ForcePace, requirement: str, counted: int, excluded: int, complete: int
) -> list[ReturnCount]:
    counts = [ReturnCount(requirement, FORCE, "", counted + excluded, excluded, complete)]
    for grouping, parts in PARTS.items():
        people = share_out(counted, [weight for _, weight, _ in parts])
        out = share_out(excluded, people)
        done = spread_unevenly(complete, people, pace.lags[grouping])
        counts += [
            ReturnCount(requirement, grouping, name, people[place] + out[place], out[place], done[place])
            for place, (name, _, _) in enumerate(parts)
        ]
    return counts


def hide_counts(counts: Sequence[ReturnCount], small: int) -> tuple[ReturnCount, ...]:
    """The counts of the whole force alone, without those in which a number is small."""
    return tuple(
        replace(count, excluded=None, complete=None) if _has_small(count, small) else count
        for count in counts
        if count.grouping == FORCE
    )


def _has_small(count: ReturnCount, small: int) -> bool:
    assigned, excluded, complete = (number or 0 for number in count.numbers)
    return any(is_small(number, small) for number in (excluded, complete, assigned - excluded - complete))


def spread_unevenly(total: int, people: Sequence[int], lags: Sequence[float]) -> list[int]:
    """A number of people spread exactly over groups: the lower its lag, the more of a group are among them.

    >>> spread_unevenly(50, [40, 40, 20], [0.5, 1, 2]), spread_unevenly(100, [40, 40, 20], [0.5, 1, 2])
    ([27, 19, 4], [40, 40, 20])
    """
    share = total / (sum(people) or 1)
    exact_shares = [each * share**lag for each, lag in zip(people, lags, strict=True)]
    room = [done * (1 - done / each) if each else 0 for done, each in zip(exact_shares, people, strict=True)]
    over = (total - sum(exact_shares)) / (sum(room) or 1)  # taken where a change of the share changes most
    spread = [
        max(0, min(each, round(done + over * part)))
        for done, part, each in zip(exact_shares, room, people, strict=True)
    ]
    for place, each in enumerate(people):  # what rounding left
        spread[place] += min(each - spread[place], max(total - sum(spread), -spread[place]))
    return spread


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """A number of people shared out by weights, exactly; none gets more than its weight if all do not.

    >>> share_out(10, [1, 1, 1]), share_out(3, [2, 0, 2])
    ([3, 3, 4], [1, 0, 2])
    """
    whole = sum(weights)
    ends = [total * end // whole if whole else 0 for end in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


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


# The demo's own returns: its key, signed returns of the last months, and comparisons beside them.

DIRECTIVE = "OIC-2026"
RETURN_MONTHS, COMPARISON_MONTHS = 6, 2  # of how many of the last months
MADE_AFTER = timedelta(days=4)  # the end of a month
COMPARED_AFTER = timedelta(days=DUE_DAYS + 3)


def keep_key() -> None:
    """Make the key that signs the demo's returns, in its instance folder, unless it is there."""
    settings = current_settings()
    path = settings.returns.find_key_file(settings.mode, settings.instance)
    if path is not None and not path.exists():
        make_key_file(path)


def schedule_own_returns(today: date, by: int, days: Mapping[date, list[Act]]) -> None:
    """Schedule the day on which the force makes each return, and loads each comparison.

    Args:
        today: The last day.
        by: Who makes and loads them.
        days: What is done at the end of each day; this adds to it.
    """
    periods = list_periods(today)
    for period in periods[-RETURN_MONTHS:]:
        day = last_day_of(period) + MADE_AFTER
        if day <= today:
            days[day].append(partial(_make_return, period, day, by))
    compared = [period for period in periods if last_day_of(period) + COMPARED_AFTER <= today]
    for period in compared[-COMPARISON_MONTHS:]:
        day = last_day_of(period) + COMPARED_AFTER
        days[day].append(partial(_load_comparison, period, day, by))


def _make_return(period: str, day: date, by: int) -> None:
    at = noon(day)
    content = prepare_own_return(DIRECTIVE, period, hide=False, now=at, newest=stamp())
    keep_own_return(content, load_own_key(), at=at, by=by)


def _load_comparison(period: str, day: date, by: int) -> None:
    """Load the comparison that the coordinating unit, which is this portal too, signs on this day."""
    key, position = load_own_key(), Position(day, stamp(), day, latest=True)
    file = sign_document(build_comparison(position, current_settings().small_number, period), key)
    keep_comparison(file, write_public_key(key), at=noon(day), by=by)


def schedule_all(force: ForceInMaking) -> None:
    """Schedule what the coordinating unit and the force do, and make the force's key."""
    schedule_returns(force.today, force.people["D4001"], force.days)
    keep_key()
    schedule_own_returns(force.today, force.people["D4001"], force.days)
