"""Saves questions of another system's file in a draft, and records what leaves a bank."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from portal.domain.authoring import queries, services
from portal.domain.authoring.editing import details, item_bank
from portal.domain.authoring.item_exchange.adding import Addition, add_questions
from portal.domain.authoring.item_exchange.moodle_writer import write_moodle
from portal.domain.authoring.item_exchange.outgoing import OutgoingBank, choose_items
from portal.domain.authoring.item_exchange.qti_writer import write_package
from portal.domain.authoring.queries import DraftState
from portal.platform.audit.services import log
from portal.platform.errors import RuleError
from portal.platform.wording import plural

OUT_FORMATS = {"qti3": "QTI 3.0", "moodle": "Moodle XML"}
NOTHING_FITS = "None of the questions fits into this format."


def save_questions(
    state: DraftState, additions: Sequence[Addition], *, file_format: str, by: int, at: datetime
) -> int:
    """Add questions to a draft, in new files of its bank; returns how many.

    Args:
        state: The draft as it is now.
        additions: The questions, each with its outcome.
        file_format: Of the file that they come from, for the audit trail.
        by: The person who adds them.
        at: The instant.

    Raises:
        RuleError: There is nothing to add, a key is taken, or an outcome is none of the module's. Nothing is
            written.
        StaleSaveError: Someone else has just added questions from a file.
    """
    files = read_bank_files(state)
    outcomes = [key for key, _ in details.read_details(files["module.toml"]).outcomes]
    changes = add_questions(files, additions, outcomes)
    if not changes:
        raise RuleError("There is no question to add.")
    services.save_files(
        state.draft_id,
        changes,
        expected=dict.fromkeys(changes),
        summary=f"Added {plural(len(additions), 'question')} from a file",
        by=by,
        at=at,
    )
    log(
        "items.imported",
        actor_id=by,
        module=state.key,
        draft=state.draft_id,
        number=len(additions),
        format=file_format,
    )
    return len(additions)


def read_bank_files(state: DraftState) -> dict[str, bytes]:
    """The draft's bank and its ``module.toml`` by path."""
    return queries.read_files(
        {path: sha for path, sha in state.files.items() if path == "module.toml" or path.startswith("items/")}
    )


def choose_outgoing(files: Mapping[str, bytes], *, with_retired: bool = False) -> OutgoingBank:
    """What of a bank goes out, and what stays, with the reasons."""
    return choose_items(item_bank.read_items(files), with_retired=with_retired)


def format_bank(bank: OutgoingBank, name: str, file_format: str) -> bytes:
    """The file with the questions that go out.

    Args:
        bank: As ``choose_outgoing`` gives it.
        name: The module's key.
        file_format: A key of ``OUT_FORMATS``.

    Raises:
        RuleError: There is nothing to write.
    """
    if not bank.items:
        raise RuleError(NOTHING_FITS)
    if file_format == "moodle":
        return write_moodle(bank.items, name)
    return write_package(bank.items, name)


def record_export(key: str, bank: OutgoingBank, file_format: str, *, by: int | None) -> None:
    """Record that questions, with their right answers, left the portal in a file."""
    log("items.exported", actor_id=by, module=key, number=len(bank.items), format=file_format)
