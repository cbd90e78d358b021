"""The month ends of a year: which positions they are, and what one sees of them."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.features.assurance.board import Frame, StateAndShare, YearStrip, list_positions
from portal.platform import clock

TODAY = date(2026, 11, 28)
DAYS = st.dates(date(1990, 1, 1), TODAY)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2026, 11, 28, 12), timezones=st.just(UTC))


@given(as_at=DAYS, known=INSTANTS, latest=st.booleans())
def test_a_month_end_is_never_known_later_than_the_board(as_at: date, known: datetime, latest: bool) -> None:
    position = Position(as_at, known, TODAY, latest)

    pairs = list_positions(position)

    assert len(pairs) == 13
    assert pairs[-1] == (position, position)
    for then, now in pairs[:-1]:
        assert then.as_at == now.as_at < as_at
        assert (then.as_at + timedelta(days=1)).day == 1
        assert (now.as_known_on, now.latest) == (known, latest)
        assert then.as_known_on == min(clock.end_of_day(then.as_at), known)
        assert not then.latest or then == now


def frame(month: int, now: StateAndShare, then: StateAndShare | None) -> Frame:
    return Frame(date(2026, month, 28), then, now)


def test_a_frame_differs_only_if_something_else_was_known() -> None:
    met, empty = StateAndShare("met", Share(3, 4), "Complete"), StateAndShare("not_judged")

    assert not frame(1, met, met).differs
    assert not frame(1, empty, None).differs  # nothing was in the portal, and there is still nothing
    assert frame(1, met, None).differs
    assert frame(1, met, StateAndShare("met", Share(2, 4), "Complete")).differs


def test_the_line_follows_one_measure_and_runs_join_equal_states() -> None:
    older, newer = (
        StateAndShare("not_met", Share(1, 4), "Started"),
        StateAndShare("not_met", Share(2, 4), "Complete"),
    )
    met = StateAndShare("met", Share(4, 4), "Complete")
    frames = tuple(frame(month, glimpse, glimpse) for month, glimpse in ((1, older), (2, newer), (3, met)))

    strip = YearStrip("e-learning", "The modules", frames)

    assert [point.share for point in strip.share_line.points] == [Share(), Share(2, 4), Share(4, 4)]
    assert strip.state_runs == [
        ("not_met", date(2026, 1, 28), date(2026, 2, 28)),
        ("met", date(2026, 3, 28), date(2026, 3, 28)),
    ]
