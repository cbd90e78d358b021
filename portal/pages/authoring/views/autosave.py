"""Saving while an author types, and merging with what someone else saved meanwhile."""

from collections.abc import Callable

from flask import render_template, request
from flask_login import current_user

from portal.domain.authoring import queries, services
from portal.domain.authoring.merging import merge_cleanly
from portal.domain.authoring.queries import DraftState
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import PortalError
from portal.platform.wording import clock_time


def save_quietly(state: DraftState, place: str, button: str, save: Callable[[], str] | None) -> str:
    """Save while the author is typing; returns a message for the page, also if nothing could be saved.

    Args:
        state: The draft.
        place: As in ``Presence``.
        button: The label of the button that saves.
        save: Saves, and returns the hash that the page is to send next time; None: the form has errors.
    """
    if save is None:
        return render_template("authoring/saved.html", message="Not saved yet: something is missing.")
    at = clock.now()
    with transaction():
        other = services.claim_place(state.draft_id, place, by=current_user.person_id, at=at)
    if other:
        message = (
            f"Not saved: {other.name} took this over at {clock_time(other.since)}."
            f" Press “{button}” to keep your text."
        )
        return render_template("authoring/saved.html", message=message)
    try:
        expected = save()
    except PortalError as error:
        return render_template("authoring/saved.html", message=f"Not saved yet: {error}")
    message = f"Saved automatically at {clock_time(at)}."
    return render_template("authoring/saved.html", message=message, expected=expected)


def sent_base() -> str:
    """The hash that both versions began with, as sent from a page that compares two; else empty.

    The form keeps sending it until it is saved, so that autosave does not overwrite the other version.
    """
    return request.form.get("base", "")


def merge_saved(
    state: DraftState, path: str, base_hash: str, write_file: Callable[[bytes], bytes]
) -> bytes | None:
    """Merge the form's changes of a file with those that someone else saved meanwhile.

    Args:
        state: The current draft.
        path: The path of the file.
        base_hash: The hash of the file when the page was opened.
        write_file: Applies the form to the content of the file.

    Returns:
        None if both changed the same place, or if there is nothing to merge.
    """
    is_known = any(saved.files.get(path) == base_hash for saved in queries.list_saves(state.draft_id))
    if not is_known or path not in state.files:
        return None
    base = queries.read_content(base_hash)
    return merge_cleanly(path, base, write_file(base), queries.read_content(state.files[path]))
