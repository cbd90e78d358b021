"""The board at a position: each recommendation in one line, the week's changes, and the year."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from portal.domain.assurance.board.coming_dates import RecommendationDates, find_due_dates
from portal.domain.assurance.board.desk_changes import DeskChange, list_desk_changes
from portal.domain.assurance.board.figure_causes import changes_address, count_causes
from portal.domain.assurance.board.figure_moves import FigureMove, find_moves
from portal.domain.assurance.board.year_strip import (
    NO_ANSWER,
    Frame,
    StateAndShare,
    YearStrip,
    list_positions,
    share_of,
)
from portal.domain.assurance.desk import DeskFacts, EvidenceSnapshot, RecommendationSnapshot, read_desk_facts
from portal.domain.assurance.evidence.checks import check_evidence_at
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.assurance.wording import DeskNames, name_people
from portal.domain.reports.parameters import EARLIEST, Position
from portal.domain.reports.statistics import Share
from portal.platform import clock

Desks = Mapping[Position, Sequence[RecommendationSnapshot]]
States = Mapping[Position, Mapping[str, EvidenceState]]

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One recommendation on the board.

    Attributes:
        recommendation: The recommendation at the position.
        states: Each piece of its evidence, by reference.
        headline: The piece whose figure is shown; None: it has no figure.
        dates: What is due next, and what is past.
        strip: Its year.
        changes: What was recorded about it since a week before, the latest first.
        moves: Which of its figures moved since then, and why.
    """

    recommendation: RecommendationSnapshot
    states: Mapping[str, EvidenceState]
    headline: EvidenceState | None
    dates: RecommendationDates
    strip: YearStrip
    changes: tuple[DeskChange, ...]
    moves: tuple[FigureMove, ...]

    @property
    def faulty_evidence(self) -> list[EvidenceState]:
        """The pieces of evidence that no longer hold."""
        return [state for state in self.states.values() if not state.holds]

    @property
    def share(self) -> Share:
        """The figure of the headline; nobody of nobody without one."""
        return share_of(self.headline)

    @property
    def has_changed(self) -> bool:
        """Whether anything about it changed since a week before."""
        return bool(self.changes or self.moves)


@dataclass(frozen=True, slots=True)
class Board:
    """The board at a position; its lines are in the order of the recommendations."""

    position: Position
    lines: tuple[BoardLine, ...]
    names: DeskNames
    since: date  # the day with which the week's changes begin

    @property
    def met_count(self) -> int:
        """How many recommendations are met."""
        return sum(line.recommendation.state == "met" for line in self.lines)

    @property
    def past_date_count(self) -> int:
        """How many dates have passed without what was due on them."""
        return sum(len(line.dates.past) for line in self.lines)

    @property
    def faulty_count(self) -> int:
        """How many pieces of evidence no longer hold."""
        return sum(len(line.faulty_evidence) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Week:
    """The positions between which the board says what changed."""

    earlier: Position  # a week before, as it was known then
    known_since: Position  # of that day, as known at the later position
    later: Position

    @classmethod
    def ending_at(cls, position: Position) -> "Week":
        """The week that ends with a position."""
        day = max(position.as_at - WEEK, EARLIEST)
        known = min(clock.end_of_day(day), position.as_known_on)
        earlier = replace(position, as_at=day, as_known_on=known, latest=False)
        return cls(earlier, replace(position, as_at=day), position)

    @property
    def positions(self) -> tuple[Position, Position, Position]:
        """All three, the earliest first."""
        return self.earlier, self.known_since, self.later


def read_board(position: Position) -> Board:
    """Read the board at a position.

    The number of statements does not depend on how many people, pieces of evidence, actions or facts there
    are: facts of the desk are read once, and evidence is checked once for all positions that the board shows.
    """
    facts, week, pairs = (
        read_desk_facts(position.as_known_on),
        Week.ending_at(position),
        list_positions(position),
    )
    desks: Desks = {at: facts.desk_at(at) for at in {*week.positions, *(at for pair in pairs for at in pair)}}
    desk = desks[position]
    names = name_people(_list_people(desk, facts))
    changes = list_desk_changes(facts, week.earlier, position, names)
    states = check_evidence_at(_list_pieces(desks, week))
    moves = _read_moves(desk, states, week)
    lines = []
    for recommendation in desk:
        own = {piece.reference: states[position][piece.reference] for piece in recommendation.evidence}
        lines.append(
            BoardLine(
                recommendation,
                own,
                own[recommendation.headline.reference] if recommendation.headline else None,
                find_due_dates(recommendation, position.as_at),
                _make_strip(recommendation, pairs, desks, states),
                tuple(change for change in changes if change.recommendation_id == recommendation.id),
                tuple(move for move in moves if move.reference in own),
            )
        )
    return Board(position, tuple(lines), names, week.earlier.as_at)


def _list_pieces(desks: Desks, week: Week) -> dict[Position, list[EvidenceSnapshot]]:
    """The evidence to check at each position: all of the week's, and of month ends what is shown."""
    return {
        at: [
            piece
            for recommendation in desk
            for piece in recommendation.evidence
            if at in week.positions or piece is recommendation.headline
        ]
        for at, desk in desks.items()
    }


def _make_strip(
    recommendation: RecommendationSnapshot,
    pairs: Sequence[tuple[Position, Position]],
    desks: Desks,
    states: States,
) -> YearStrip:
    """The year of a recommendation."""
    frames = []
    for then, now in pairs:
        known_then = _find_state_and_share(recommendation.id, desks[then], states[then])
        known_now = _find_state_and_share(recommendation.id, desks[now], states[now])
        frames.append(Frame(now.as_at, known_then, known_now or NO_ANSWER))
    return YearStrip(recommendation.key, recommendation.version.title, tuple(frames))


def _find_state_and_share(
    recommendation_id: int, desk: Iterable[RecommendationSnapshot], states: Mapping[str, EvidenceState]
) -> StateAndShare | None:
    """A recommendation at one position; None if it was not known then."""
    recommendation = next((known for known in desk if known.id == recommendation_id), None)
    if recommendation is None:
        return None
    piece = recommendation.headline
    share = share_of(states[piece.reference] if piece else None)
    return StateAndShare(recommendation.state, share, piece.version.title if piece else "")


def _read_moves(desk: Sequence[RecommendationSnapshot], states: States, week: Week) -> list[FigureMove]:
    """Which figures moved in the week, and why."""
    pieces = [piece for recommendation in desk for piece in recommendation.evidence]
    before, since = states[week.earlier], states[week.known_since]
    now = {piece.reference: states[week.later][piece.reference] for piece in pieces}
    moved = {move.reference for move in find_moves(before, since, now, {})}
    causes = count_causes([piece for piece in pieces if piece.reference in moved], week.earlier, week.later)
    behind = {piece.reference: changes_address(piece, week.earlier, week.later) for piece in pieces}
    return [
        replace(move, address=behind[move.reference] or move.address)
        for move in find_moves(before, since, now, causes)
    ]


def _list_people(desk: Iterable[RecommendationSnapshot], facts: DeskFacts) -> set[int | None]:
    """Everybody whom the board may name: owners of recommendations and of actions, now and before."""
    people: set[int | None] = {recommendation.owner_id for recommendation in desk}
    for rows in facts.rows.values():
        for row in rows:
            people |= {getattr(row, "owner_id", None), getattr(row, "person_id", None)}
    return people
