"""What the command ``report pack --recommendation`` does."""

import os
import tempfile
from pathlib import Path

from config import current_settings
from portal.commands.report import choose_target
from portal.domain.people.visibility import COMMAND_LINE
from portal.domain.reports.parameters import Position
from portal.features.packs.services import (
    ANSWER,
    FOI,
    AnswerWish,
    answer_name,
    describe_event,
    make_answer_pack,
)
from portal.platform.audit import log_file
from portal.platform.db import transaction


def export_answer_pack(key: str, position: Position, output: Path, *, foi: bool) -> str:
    """Write the answer to a recommendation or to all beside its place, and log it; then put it there."""
    name, settings = FOI if foi else ANSWER, current_settings()
    target = choose_target(output, answer_name(key, name, position))
    wish = AnswerWish(key, name, position, settings.force_name, settings.small_number)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.absolute().parent) as scratch:
        draft, folder = Path(scratch) / "draft", Path(scratch) / "pack"
        folder.mkdir()
        made = make_answer_pack(wish, COMMAND_LINE, folder, draft, lambda rows: None)
        detail = describe_event(key, name, position.pinned, made.sha256)
        with transaction():
            log_file("answer_pack.exported", made.people, actor_id=None, **detail)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(target)
    return f"Wrote {target}.\nSHA-256 {made.sha256}"
