"""The sentences of the board, the same on the page and on its sheet of paper."""

from portal.domain.assurance.board.board import Board, BoardLine
from portal.domain.assurance.board.desk_changes import DeskChange
from portal.domain.assurance.board.figure_moves import FigureMove
from portal.domain.assurance.board.year_strip import Frame, StateAndShare, YearStrip
from portal.domain.assurance.wording import JUDGEMENT_WORDS
from portal.domain.reports import sentences
from portal.platform import wording as say
from portal.platform.clock import london_day


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
