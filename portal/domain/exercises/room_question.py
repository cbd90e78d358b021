"""What the room is asked in the plenary at present, for the screens that ask once a second."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.domain.exercises.comparison import plain_words
from portal.domain.exercises.content import ExerciseContent
from portal.domain.exercises.plenary import PromptStage, list_moves
from portal.domain.exercises.running.clock import PastStep
from portal.domain.exercises.statements import Statement, list_statements

READABLE_STAGES = frozenset({PromptStage.READING, PromptStage.RANKING, PromptStage.CLOSED})


@dataclass(frozen=True, slots=True)
class RoomQuestion:
    """The question of the plenary that was opened or moved on last."""

    key: str
    words: str
    stage: PromptStage


def find_room_question(content: ExerciseContent, steps: Sequence[PastStep]) -> RoomQuestion | None:
    """The question that the room is asked, from the steps of a run in order; None before the first."""
    moves = list(list_moves(content, steps))
    if not moves:
        return None
    key, stage = moves[-1]
    html = next(prompt["prompt_html"] for prompt in content["plenary"] if prompt["key"] == key)
    return RoomQuestion(key, plain_words(html), stage)


def statements_at(run_id: int, prompt_key: str, stage: PromptStage) -> list[Statement]:
    """The statements that the room reads at a stage: without hidden ones, and points once they are ranked."""
    if stage not in READABLE_STAGES:
        return []
    shown_statements = [row for row in list_statements(run_id, prompt_key) if not row.hidden]
    if stage is PromptStage.CLOSED:
        return shown_statements
    without_points = [Statement(row.key, row.text, row.theme, row.hidden, 0) for row in shown_statements]
    return sorted(without_points, key=lambda row: (not row.theme, row.theme.casefold(), row.text))
