"""The board at a position: each recommendation in one line, the week's changes, and the year."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from portal.domain.reports import report_pdf, sentences
from portal.domain.reports.charts import LineChart, Point, month_ends
from portal.domain.reports.parameters import EARLIEST, Position
from portal.domain.reports.statistics import Share
from portal.features.assurance.changes import (
    DeskChange,
    FigureMove,
    changes_address,
    count_causes,
    find_moves,
    list_desk_changes,
)
from portal.features.assurance.desk import (
    DeskFacts,
    EvidenceSnapshot,
    EvidenceState,
    RecommendationSnapshot,
    read_desk_facts,
)
from portal.features.assurance.evidence import check_evidence_at
from portal.features.assurance.recommendations import JUDGEMENT_WORDS, DeskNames, name_people
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.clock import london_day
from portal.platform.documents.typesetting import quote_text, text_content, typeset_pdf

# The dates of a recommendation: what is due next, and what should have happened by now.

CLOSED = ("done", "dropped")  # states of an action that nothing is due of any more


@dataclass(frozen=True, slots=True, order=True)
class ComingDate:
    """A day on which something of a recommendation is due."""

    on: date
    what: str  # such as "A-0003", the reference of an action
    title: str = ""  # of the action or of the piece of evidence


@dataclass(frozen=True, slots=True)
class RecommendationDates:
    """The dates of a recommendation that matter on a day, each list the earliest first."""

    past: tuple[ComingDate, ...]
    coming: tuple[ComingDate, ...]

    @property
    def next_date(self) -> ComingDate | None:
        """What is due next; None: nothing is."""
        return self.coming[0] if self.coming else None


def find_due_dates(recommendation: RecommendationSnapshot, day: date) -> RecommendationDates:
    """What was due before a day and has not happened, and what is due on it or later.

    Counted are actions that are neither done nor dropped, reviews of evidence and of the plan, and the
    deadline as long as the recommendation is not met. A deadline that has passed is no date to come and is
    shown by itself, so it is not listed among what is past.
    """
    dates = sorted(_list_due_dates(recommendation), key=lambda each: (each.on, each.what))
    deadline = recommendation.version.deadline_on
    if recommendation.state != "met" and deadline >= day:
        dates = sorted([*dates, ComingDate(deadline, "deadline")], key=lambda each: (each.on, each.what))
    return RecommendationDates(
        tuple(each for each in dates if each.on < day), tuple(each for each in dates if each.on >= day)
    )


def _list_due_dates(recommendation: RecommendationSnapshot) -> Iterator[ComingDate]:
    for action in recommendation.actions:
        version = action.version
        if version.due_on is not None and version.state not in CLOSED:
            yield ComingDate(version.due_on, action.reference, version.title)
    for piece in recommendation.evidence:
        if piece.version.review_on is not None:
            yield ComingDate(piece.version.review_on, f"review of {piece.reference}", piece.version.title)
    if recommendation.plan is not None:
        yield ComingDate(recommendation.plan.review_on, "review of the plan")


# A year of a recommendation: its state and its figure at each month end, as known then and as known now.

NOTHING = Share()


@dataclass(frozen=True, slots=True)
class StateAndShare:
    """A recommendation at one position.

    Attributes:
        state: One of ``JUDGEMENTS``.
        share: The figure of its first counted evidence; nobody of nobody where there is none.
        measure: The title of that evidence; "" where there is none.
    """

    state: str
    share: Share = NOTHING
    measure: str = ""


NO_ANSWER = StateAndShare("not_judged")


@dataclass(frozen=True, slots=True)
class Frame:
    """One month end of a year strip."""

    day: date
    then: StateAndShare | None  # as known on that day; None: the recommendation was not in the portal yet
    now: StateAndShare

    @property
    def differs(self) -> bool:
        """Whether more has become known of the day since."""
        return self.then != self.now and not (self.then is None and self.now == NO_ANSWER)


@dataclass(frozen=True, slots=True)
class YearStrip:
    """The frames of a recommendation, the earliest first; the last one is the board's own day."""

    key: str
    title: str
    frames: tuple[Frame, ...]

    @property
    def share_line(self) -> LineChart:
        """The figure over the months, as known now, as far as one thing was measured."""
        measure = self.frames[-1].now.measure
        return LineChart(
            [
                Point(frame.day, frame.now.share if frame.now.measure == measure else NOTHING)
                for frame in self.frames
            ]
        )

    @property
    def differing_frames(self) -> tuple[Frame, ...]:
        """The months of which more has become known since."""
        return tuple(frame for frame in self.frames if frame.differs)

    @property
    def state_runs(self) -> list[tuple[str, date, date]]:
        """Each state with the first and the last month end that it had without a break, as known now."""
        runs = []
        for state, frames in groupby(self.frames, key=lambda frame: frame.now.state):
            days = [frame.day for frame in frames]
            runs.append((state, days[0], days[-1]))
        return runs


def share_of(state: EvidenceState | None) -> Share:
    """The figure that a piece of evidence shows; nobody of nobody if it shows none."""
    if state is None or not state.total:
        return NOTHING
    return Share(state.reached or 0, state.total)


def list_positions(position: Position) -> list[tuple[Position, Position]]:
    """The positions of a year's month ends: as known then, and as known at the board's instant.

    The last pair is the board's own position twice.
    """
    pairs = []
    for day in month_ends(position.as_at):
        as_known_now = replace(position, as_at=day)
        end = clock.end_of_day(day)
        is_later = day == position.as_at or end >= position.as_known_on
        as_known_then = as_known_now if is_later else replace(as_known_now, as_known_on=end, latest=False)
        pairs.append((as_known_then, as_known_now))
    return pairs


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


# The sentences of the board, the same on the page and on its sheet of paper.


def answer_sentence(board: Board) -> str:
    """How many recommendations are met: the heading."""
    total = len(board.lines)
    if not total:
        return "No recommendation was known then" if board.position.past else "No recommendation is published"
    verb = "were" if board.position.as_at != board.position.today else "are"
    day = sentences.day_prefix(board.position)
    if board.met_count == total:
        all_of = "the recommendation is" if total == 1 else f"all {total} recommendations {verb}"
        return _capitalise_words(f"{day}{all_of} met")
    if board.met_count == 1:
        verb = "was" if verb == "were" else "is"
    return _capitalise_words(f"{day}{board.met_count} of {say.plural(total, 'recommendation')} {verb} met")


def attention_words(board: Board) -> str:
    """How many dates have passed and how much evidence needs attention; "" if none."""
    parts = []
    if board.past_date_count:
        parts.append(f"{say.plural(board.past_date_count, 'date has', 'dates have')} passed.")
    if board.faulty_count:
        pieces = say.plural(board.faulty_count, "piece of evidence", "pieces of evidence")
        parts.append(f"{pieces} {'needs' if board.faulty_count == 1 else 'need'} attention.")
    return " ".join(parts)


def owner_words(board: Board, line: BoardLine) -> str:
    """The name of the owner of a recommendation."""
    owner = line.recommendation.owner_id
    return "Nobody yet" if owner is None else board.names[owner]


def since_words(line: BoardLine) -> str:
    """Since when the state holds; "" if nothing was judged."""
    judgement = line.recommendation.judgement
    return f"since {say.date(judgement.judgement.from_on)}" if judgement else ""


def waiting_words(line: BoardLine) -> str:
    """The judgement that waits for a second person; "" if none does."""
    waiting = line.recommendation.waiting_judgement
    return f"“{JUDGEMENT_WORDS[waiting.judgement.state]}” is to be confirmed" if waiting else ""


def percentage_words(line: BoardLine) -> str:
    """The percentage of the headline, rounded down; "" without a figure."""
    return say.percent_cut(line.share.done, line.share.total) if line.share.total else ""


def fraction_words(line: BoardLine) -> str:
    """The numerator and denominator of the headline, and who is counted; without a figure, what it shows."""
    if line.headline is None:
        return "No figure in its evidence" if line.states else "No evidence yet"
    if not line.share.total:
        return line.headline.shown
    counted = {"figure": "counted", "samples": "documents"}.get(line.headline.kind, "in post")
    return f"{say.number(line.share.done)} of {say.number(line.share.total)} {counted}"


def threshold_words(line: BoardLine) -> str:
    """What the figure must reach, and what it is a figure of."""
    if line.headline is None:
        return ""
    title = line.headline.title
    if line.headline.threshold is None:
        return title
    return f"{title}; at least {say.percent_exact(line.headline.threshold)}"


def week_words(line: BoardLine) -> str:
    """How the headline moved in a week; "" without one."""
    if line.headline is None:
        return ""
    headline = line.headline.reference
    differences = next((move.differences for move in line.moves if move.reference == headline), ())
    return _capitalise_words(", ".join(differences)) or "No change in a week"


def faults_words(line: BoardLine) -> str:
    """How many pieces of evidence need attention; "" if none does."""
    if not line.faulty_evidence:
        return ""
    verb = "needs" if len(line.faulty_evidence) == 1 else "need"
    return f"Evidence: {len(line.faulty_evidence)} of {len(line.states)} {verb} attention"


def next_words(line: BoardLine) -> str:
    """What is due next, without its day."""
    coming = line.dates.next_date
    if coming is None:
        return ""
    return (
        f"{_capitalise_words(coming.what)}: {coming.title}"
        if coming.title
        else _capitalise_words(coming.what)
    )


def past_words(board: Board, line: BoardLine) -> str:
    """How late the first of the dates that have passed is; with its title where no date is to come."""
    if not line.dates.past:
        return ""
    first, more = line.dates.past[0], len(line.dates.past) - 1
    days = say.plural((board.position.as_at - first.on).days, "day")
    what = f"{first.what}, {first.title}" if first.title and not line.dates.next_date else first.what
    others = f"; and {say.number(more)} more" if more else ""
    return f"{days} late: {what}{others}"


def deadline_words(board: Board, line: BoardLine) -> str:
    """The deadline of a recommendation that is not met; "" where it is the next date anyway."""
    deadline = line.recommendation.version.deadline_on
    if line.recommendation.state == "met" or (
        line.dates.next_date and line.dates.next_date.what == "deadline"
    ):
        return ""
    passed = deadline < board.position.as_at
    return f"The deadline {'was' if passed else 'is'} {say.date(deadline)}"


def change_words(change: DeskChange) -> str:
    """A change of the desk as a sentence, with its reason, and both days where it was entered late."""
    entered = london_day(change.recorded_at)
    late = f" True from {say.date(change.on)}." if change.is_late else ""
    why = f" Why: {change.why.rstrip('.')}." if change.why else ""
    return f"{say.date(entered)}: {change.words.rstrip('.')}.{why}{late}"


def move_words(move: FigureMove) -> str:
    """What a figure was, is, and why."""
    was = f" (was {move.before})" if move.before != move.after else ""
    causes = [", ".join(move.differences), *move.why]
    why = " ".join(f"{_capitalise_words(cause)}." for cause in causes if cause)
    return f"{move.title}: {move.after}{was}. {why}".strip()


def state_and_share_words(answer: StateAndShare | None) -> str:
    """A month end in words: the state and the figure."""
    if answer is None:
        return "Not in the portal yet"
    state, share = JUDGEMENT_WORDS[answer.state], answer.share
    if not share.total:
        return f"{state}, no figure"
    figure = (
        f"{say.percent_cut(share.done, share.total)} – {say.number(share.done)} of {say.number(share.total)}"
    )
    return f"{state}, {figure}"


def difference_words(frames: tuple[Frame, ...]) -> str:
    """How many month ends look different today from what was known then."""
    verb = "is" if len(frames) == 1 else "are"
    return f"{say.plural(len(frames), 'month end')} {verb} different today from what was known then."


def strip_words(strip: YearStrip) -> str:
    """A year strip in a sentence: each state with the month ends at which it held."""
    runs = [
        f"{JUDGEMENT_WORDS[state]} from {first:%B %Y} to {last:%B %Y}"
        if first != last
        else f"{JUDGEMENT_WORDS[state]} in {first:%B %Y}"
        for state, first, last in strip.state_runs
    ]
    return f"{'; '.join(runs)}. The table below has every month end."


def _capitalise_words(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


# The board as one sheet of A4, tagged, for a meeting.

MOST_CHANGES = 3  # of one recommendation: the others are counted
MOST_LETTERS = 120  # of a sentence about a change
MOST_TITLE = 64
MOST_NAME = 40
_LETTERS = {"met": "M", "partly_met": "P", "not_met": "N", "not_judged": "–"}
_GROUNDS = {"met": "#cfe4dc", "partly_met": "#d2e2f1", "not_met": "#f4d7d7", "not_judged": "#ffffff"}
_KEY = "; ".join(f"{_LETTERS[state]} {words.lower()}" for state, words in JUDGEMENT_WORDS.items())


def board_pdf(board: Board, *, force: str, at: datetime) -> bytes:
    """Typeset the board as PDF/UA-1 on one page of A4.

    Args:
        board: What it shows.
        force: Name of the force.
        at: When it is made.
    """
    return typeset_pdf(
        "\n".join(_write_page(board)),
        title=answer_sentence(board),
        above=f"{force} · Response to organised immigration crime",
        foot=f"{force}. {sentences.both_times(board.position)}",
        author=force,
        at=at,
    )


def _write_page(board: Board) -> list[str]:
    return [
        "#set text(size: 8.5pt)",
        "#set table(inset: (x: 3pt, y: 3pt))",
        "#set par(leading: 0.4em, spacing: 0.5em)",
        "#set list(spacing: 0.35em)",
        text_content(f"{sentences.both_times(board.position)}. {attention_words(board)}"),
        "",
        *_write_answer_table(board),
        f"== {text_content(f'Changes since {say.date(board.since)}')}",
        *_write_changes(board),
        f"== {text_content('The year, as known at the time of this page')}",
        *_write_year(board),
    ]


def _write_answer_table(board: Board) -> list[str]:
    heads = ("Recommendation", "State", "Figure", "12 months", "Next date", "Owner")
    return [
        "#table(columns: (2fr, 1.4fr, 2.2fr, 1.1fr, 2.2fr, 1.1fr),",
        f"table.header({', '.join(f'[{text_content(head)}]' for head in heads)}),",
        *(_write_answer_row(board, line) for line in board.lines),
        ")",
    ]


def _write_answer_row(board: Board, line: BoardLine) -> str:
    recommendation = line.recommendation
    cells = (
        _write_strong(_shorten_words(recommendation.version.title))
        + _write_below(f"Deadline {say.date(recommendation.version.deadline_on)}"),
        _write_strong(JUDGEMENT_WORDS[recommendation.state])
        + _write_below(since_words(line))
        + _write_below(waiting_words(line)),
        _write_figure(line),
        _draw_sparkline(line),
        _write_dates(board, line),
        text_content(_shorten_words(owner_words(board, line), MOST_NAME)),
    )
    return ", ".join(f"[{cell}]" for cell in cells) + ","


def _write_dates(board: Board, line: BoardLine) -> str:
    coming, past = line.dates.next_date, _shorten_words(past_words(board, line))
    if coming is None:
        return _write_strong(past or "Nothing further is due")
    return (
        _write_strong(say.date(coming.on))
        + _write_below(_shorten_words(next_words(line)))
        + _write_below(past)
    )


def _write_figure(line: BoardLine) -> str:
    words = [
        fraction_words(line),
        threshold_words(line),
        faults_words(line),
    ]
    large = percentage_words(line)
    beginning = f'#text(size: 15pt, weight: "bold", {quote_text(large)})' if large else ""
    return beginning + "".join(_write_below(_shorten_words(text)) for text in words if text)


def _draw_sparkline(line: BoardLine) -> str:
    chart = line.strip.share_line
    if not chart.drawn:
        return text_content(week_words(line))
    height = 9
    marks = [
        f"#place(line(start: {_write_point(left.x, left.y, height)},"
        f" end: {_write_point(right.x, right.y, height)},"
        f' stroke: 1.4pt + rgb("{report_pdf.GREEN}")))'
        for left, right in chart.parts
    ]
    drawing = f"#pdf.artifact(block(width: 100%, height: {height}mm)[{''.join(marks)}])"
    return drawing + text_content(week_words(line))


def _write_changes(board: Board) -> list[str]:
    markup = []
    for line in board.lines:
        sentences = [move_words(move) for move in line.moves]
        sentences += [change_words(change) for change in line.changes]
        if not sentences:
            continue
        shown, more = sentences[:MOST_CHANGES], len(sentences) - MOST_CHANGES
        markup.append(f"{_write_strong(_shorten_words(line.recommendation.version.title))}\n")
        markup += [f"- {text_content(_shorten_words(sentence, MOST_LETTERS))}" for sentence in shown]
        if more > 0:
            further = f"and {say.plural(more, 'more change')}"
            markup.append(f"- {text_content(further)}")
        markup.append("")
    return markup or [text_content("Nothing was recorded, and no figure moved."), ""]


def _write_year(board: Board) -> list[str]:
    if not board.lines:
        return []
    days = [frame.day for frame in board.lines[0].strip.frames]
    heads = ["Answer", *(f"{day:%b}" for day in days[:-1]), f"{days[-1]:%-d %b}"]
    differing = sum(len(line.strip.differing_frames) for line in board.lines)
    note = f" * was known otherwise then ({differing})." if differing else ""
    return [
        "#text(size: 7.5pt)[",
        f"#table(columns: (2.4fr, {', '.join('1fr' for _ in days)}), inset: (x: 2pt, y: 3pt),",
        f"table.header({', '.join(f'[{text_content(head)}]' for head in heads)}),",
        *(_write_year_row(line.strip) for line in board.lines),
        ")]",
        text_content(f"{_KEY}.{note}"),
    ]


def _write_year_row(strip: YearStrip) -> str:
    cells = ", ".join(
        f"table.cell(fill: rgb({quote_text(_GROUNDS[frame.now.state])}))[{_write_frame(frame)}]"
        for frame in strip.frames
    )
    return f"[{text_content(_shorten_words(strip.title))}], {cells},"


def _write_frame(frame: Frame) -> str:
    share = frame.now.share
    figure = f" {say.percent_cut(share.done, share.total)}" if share.total else ""
    return text_content(f"{_LETTERS[frame.now.state]}{figure}{'*' if frame.differs else ''}")


def _write_strong(words: str) -> str:
    return f"#strong({quote_text(words)})"


def _write_below(words: str) -> str:
    return f"#linebreak(){text_content(words)}" if words else ""


def _shorten_words(words: str, most: int = MOST_TITLE) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _write_point(x: float, y: float, height: int) -> str:
    return f"({x:.2f}%, {y * height / 100:.2f}mm)"
