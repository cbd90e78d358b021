"""The board as one sheet of A4, tagged, for a meeting."""

from datetime import datetime

from portal.domain.assurance.board import board_words
from portal.domain.assurance.board.board import Board, BoardLine
from portal.domain.assurance.board.year_strip import Frame, YearStrip
from portal.domain.assurance.wording import JUDGEMENT_WORDS
from portal.domain.reports import sentences
from portal.domain.reports.completion import pdf_drawings
from portal.platform import wording as say
from portal.platform.documents.markup import quote_text, text_content
from portal.platform.documents.typesetting import typeset_pdf

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
        title=board_words.answer_sentence(board),
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
        text_content(f"{sentences.both_times(board.position)}. {board_words.attention_words(board)}"),
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
        + _write_below(board_words.since_words(line))
        + _write_below(board_words.waiting_words(line)),
        _write_figure(line),
        _draw_sparkline(line),
        _write_dates(board, line),
        text_content(_shorten_words(board_words.owner_words(board, line), MOST_NAME)),
    )
    return ", ".join(f"[{cell}]" for cell in cells) + ","


def _write_dates(board: Board, line: BoardLine) -> str:
    coming, past = line.dates.next_date, _shorten_words(board_words.past_words(board, line))
    if coming is None:
        return _write_strong(past or "Nothing further is due")
    return (
        _write_strong(say.date(coming.on))
        + _write_below(_shorten_words(board_words.next_words(line)))
        + _write_below(past)
    )


def _write_figure(line: BoardLine) -> str:
    words = [
        board_words.fraction_words(line),
        board_words.threshold_words(line),
        board_words.faults_words(line),
    ]
    large = board_words.percentage_words(line)
    beginning = f'#text(size: 15pt, weight: "bold", {quote_text(large)})' if large else ""
    return beginning + "".join(_write_below(_shorten_words(text)) for text in words if text)


def _draw_sparkline(line: BoardLine) -> str:
    chart = line.strip.share_line
    if not chart.drawn:
        return text_content(board_words.week_words(line))
    height = 9
    marks = [
        f"#place(line(start: {_write_point(left.x, left.y, height)},"
        f" end: {_write_point(right.x, right.y, height)},"
        f' stroke: 1.4pt + rgb("{pdf_drawings.GREEN}")))'
        for left, right in chart.parts
    ]
    drawing = f"#pdf.artifact(block(width: 100%, height: {height}mm)[{''.join(marks)}])"
    return drawing + text_content(board_words.week_words(line))


def _write_changes(board: Board) -> list[str]:
    markup = []
    for line in board.lines:
        sentences = [board_words.move_words(move) for move in line.moves]
        sentences += [board_words.change_words(change) for change in line.changes]
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
