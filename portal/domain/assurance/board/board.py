"""The board at a position: each recommendation in one line, the week's changes, and the year."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from portal.domain.assurance.board.coming_dates import Dates, find_dates
from portal.domain.assurance.board.desk_changes import DeskChange, list_desk_changes
from portal.domain.assurance.board.desk_facts import DeskFacts, read_desk_facts
from portal.domain.assurance.board.figure_causes import changes_address, count_causes
from portal.domain.assurance.board.figure_moves import FigureMove, find_moves
from portal.domain.assurance.board.film_strip import FilmStrip, Frame, Glimpse, list_positions
from portal.domain.assurance.board.month_figures import NO_SHARE, read_shares, share_of
from portal.domain.assurance.desk import HeldEvidence, HeldRecommendation, read_desk
from portal.domain.assurance.evidence.checks import check_evidence
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.assurance.wording import DeskNames, name_people
from portal.domain.reports.parameters import EARLIEST, Position
from portal.domain.reports.statistics import Share
from portal.platform import clock

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One recommendation on the board.

    Attributes:
        held: The recommendation at the position.
        states: Each piece of its evidence, by reference.
        headline: The piece whose figure is shown; None: it has no figure.
        dates: What is due next, and what is past.
        strip: Its year.
        changes: What was recorded about it since a week before, the latest first.
        moves: Which of its figures moved since then, and why.
    """

    held: HeldRecommendation
    states: Mapping[str, EvidenceState]
    headline: EvidenceState | None
    dates: Dates
    strip: FilmStrip
    changes: tuple[DeskChange, ...]
    moves: tuple[FigureMove, ...]

    @property
    def faulty(self) -> list[EvidenceState]:
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
    def met(self) -> int:
        """How many recommendations are met."""
        return sum(line.held.state == "met" for line in self.lines)

    @property
    def past_dates(self) -> int:
        """How many dates have passed without what was due on them."""
        return sum(len(line.dates.past) for line in self.lines)

    @property
    def faulty(self) -> int:
        """How many pieces of evidence no longer hold."""
        return sum(len(line.faulty) for line in self.lines)


def week_before(position: Position) -> Position:
    """The position a week before, as it was known then."""
    day = max(position.as_at - WEEK, EARLIEST)
    known = min(clock.end_of_day(day), position.as_known_on)
    return replace(position, as_at=day, as_known_on=known, latest=False)


def read_board(position: Position) -> Board:
    """Read the board at a position.

    The number of statements does not depend on how many people, actions or facts there are.
    """
    desk, facts = read_desk(position), read_desk_facts(position.as_known_on)
    names = name_people(_list_people(desk, facts))
    earlier = week_before(position)
    changes = list_desk_changes(facts, earlier, position, names)
    pieces = [piece for held in desk for piece in held.evidence]
    states = check_evidence(pieces, position)
    moves = _read_moves(pieces, states, facts, earlier, position)
    strips = read_strips(desk, facts, states, position)
    lines = []
    for held in desk:
        own = {piece.reference: states[piece.reference] for piece in held.evidence}
        headline = facts.headline_at(held.id, position.as_at, position.as_known_on)
        lines.append(
            BoardLine(
                held,
                own,
                own[headline.reference] if headline else None,
                find_dates(held, position.as_at),
                strips[held.id],
                tuple(change for change in changes if change.recommendation_id == held.id),
                tuple(move for move in moves if move.reference in own),
            )
        )
    return Board(position, tuple(lines), names, earlier.as_at)


def read_strips(
    desk: Sequence[HeldRecommendation],
    facts: DeskFacts,
    states: Mapping[str, EvidenceState],
    position: Position,
) -> dict[int, FilmStrip]:
    """The year of each recommendation, by its id; ``states`` are those at the board's own position."""
    pairs = list_positions(position)
    days = [now.as_at for _, now in pairs]
    headlines = {day: _list_headlines(desk, facts, replace(position, as_at=day)) for day in days}
    shares = read_shares({day: list(headlines[day].values()) for day in days[:-1]}, position)
    shares |= {(days[-1], reference): share_of(state) for reference, state in states.items()}
    frames: dict[int, list[Frame]] = {held.id: [] for held in desk}
    for then, now in pairs:
        of_day = {reference: share for (day, reference), share in shares.items() if day == now.as_at}
        now_glimpses = _take_glimpses(desk, facts, now, headlines[now.as_at], of_day)
        then_glimpses = now_glimpses if then == now else _read_glimpses(desk, facts, then)
        for held in desk:
            was_known = then == now or facts.is_known(held.id, then.as_known_on)
            frames[held.id].append(
                Frame(now.as_at, then_glimpses[held.id] if was_known else None, now_glimpses[held.id])
            )
    return {held.id: FilmStrip(held.key, held.version.title, tuple(frames[held.id])) for held in desk}


def _read_glimpses(
    desk: Sequence[HeldRecommendation], facts: DeskFacts, position: Position
) -> dict[int, Glimpse]:
    """Each recommendation at a position, by its id."""
    headlines = _list_headlines(desk, facts, position)
    states = check_evidence(list(headlines.values()), position) if headlines else {}
    shares = {reference: share_of(state) for reference, state in states.items()}
    return _take_glimpses(desk, facts, position, headlines, shares)


def _list_headlines(
    desk: Sequence[HeldRecommendation], facts: DeskFacts, position: Position
) -> dict[int, HeldEvidence]:
    """The evidence whose figure stands for each recommendation at a position, by the recommendation's id."""
    found = {held.id: facts.headline_at(held.id, position.as_at, position.as_known_on) for held in desk}
    return {key: piece for key, piece in found.items() if piece is not None}


def _take_glimpses(
    desk: Sequence[HeldRecommendation],
    facts: DeskFacts,
    position: Position,
    headlines: Mapping[int, HeldEvidence],
    shares: Mapping[str, Share],
) -> dict[int, Glimpse]:
    glimpses = {}
    for held in desk:
        judged = facts.judgement_at(held.id, position.as_at, position.as_known_on)
        piece = headlines.get(held.id)
        glimpses[held.id] = Glimpse(
            judged.judgement.state if judged else "not_judged",
            shares[piece.reference] if piece else NO_SHARE,
            piece.version.title if piece else "",
        )
    return glimpses


def _read_moves(
    pieces: Sequence[HeldEvidence],
    states: Mapping[str, EvidenceState],
    facts: DeskFacts,
    earlier: Position,
    later: Position,
) -> list[FigureMove]:
    """Which figures moved between the positions, and why."""
    known_since = replace(later, as_at=earlier.as_at)
    before = check_evidence(facts.list_evidence(earlier.as_at, earlier.as_known_on), earlier)
    since = check_evidence(facts.list_evidence(earlier.as_at, later.as_known_on), known_since)
    moved = {move.reference for move in find_moves(before, since, states, {})}
    causes = count_causes([piece for piece in pieces if piece.reference in moved], earlier, later)
    behind = {piece.reference: changes_address(piece, earlier, later) for piece in pieces}
    return [
        replace(move, address=behind[move.reference] or move.address)
        for move in find_moves(before, since, states, causes)
    ]


def _list_people(desk: Iterable[HeldRecommendation], facts: DeskFacts) -> set[int | None]:
    """Everybody whom the board may name: owners of recommendations and of actions, now and before."""
    people: set[int | None] = {held.owner_id for held in desk}
    for rows in facts.rows.values():
        for row in rows:
            people |= {getattr(row, "owner_id", None), getattr(row, "person_id", None)}
    return people
