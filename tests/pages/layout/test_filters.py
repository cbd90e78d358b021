import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.platform import wording

COUNTS = st.integers(0, 10**7)


@given(COUNTS, COUNTS)
def test_a_percentage_is_cut_and_says_100_only_of_all(part: int, more: int) -> None:
    whole = part + more
    if whole == 0:
        assert wording.percent_cut(part, whole) == "–"
        return
    said = int(wording.percent_cut(part, whole).removesuffix("%"))
    assert said * whole <= part * 100 < (said + 1) * whole
    assert (said == 100) == (part == whole)


@given(st.integers(1, 60), st.decimals(0, 60, places=4), st.integers(1, 100))
def test_a_score_below_a_pass_mark_never_reads_as_a_pass(maximum: int, raw: Decimal, mastery: int) -> None:
    raw = min(raw, Decimal(maximum))
    said = wording.score_words(raw, maximum)
    marks, percent = re.fullmatch(r"(\d+(?:\.[1-9])?) of \d+ \((\d+)%\)", said).groups()
    assert Decimal(marks) <= raw < Decimal(marks) + Decimal("0.1")
    assert (int(percent) >= mastery) == (raw * 100 >= mastery * maximum)


@given(st.integers(0, 10_000))
def test_minutes_in_words_add_up(minutes: int) -> None:
    words = wording.minutes_words(minutes).replace(",", "").split()
    units = {"hour": 60, "hours": 60, "minute": 1, "minutes": 1}
    pairs = list(zip(words[::2], words[1::2], strict=True))
    assert sum(int(n) * units[unit] for n, unit in pairs) == minutes
    assert all((n == "1") == (not unit.endswith("s")) for n, unit in pairs)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2999, 12, 31)))
def test_a_date_in_words_reads_back(day: date) -> None:
    words = wording.date(day)
    assert datetime.strptime(words, "%d %B %Y").date() == day
    assert not words.startswith("0")


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 4, 30, 8, 14, tzinfo=UTC), "09:14 on 30 April 2026"),
        (datetime(2026, 4, 30, 23, 0, tzinfo=UTC), "00:00 on 1 May 2026"),
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), "23:59 on 31 January 2026"),
        (None, ""),
    ],
)
def test_an_instant_is_told_in_london_time(moment: datetime | None, words: str) -> None:
    assert wording.instant(moment) == words


def test_a_date_of_an_instant_is_its_london_day() -> None:
    assert wording.date(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)) == "1 July 2026"
    assert wording.date(None) == ""


@given(st.integers(-5000, 5000))
def test_days_in_words_tell_before_from_after(days: int) -> None:
    words = wording.days_words(days)
    assert words.startswith("in ") == (days > 1)
    assert words.endswith(" ago") == (days < -1)
    assert (words in {"today", "tomorrow", "yesterday"}) == (abs(days) <= 1)


@pytest.mark.parametrize(
    ("count", "many", "words"),
    [(1, "people", "1 person"), (0, "people", "0 people"), (2060, None, "2,060 persons")],
)
def test_a_noun_follows_its_count(count: int, many: str | None, words: str) -> None:
    assert wording.plural(count, "person", many) == words
