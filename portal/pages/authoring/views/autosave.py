"""Saving beside others: quietly while one writes, and both of two texts where they do not meet."""

from collections.abc import Callable

from flask import render_template, request
from flask_login import current_user

from portal.domain.authoring import queries, services
from portal.domain.authoring.editing.three_way_merge import merge_cleanly
from portal.domain.authoring.queries import DraftState
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import PortalError
from portal.platform.wording import clock_time


def save_quietly(state: DraftState, place: str, button: str, save: Callable[[], str] | None) -> str:
    """Save while the author goes on writing; what cannot be saved says so and waits for the button.

    Args:
        state: The draft.
        place: As in ``Presence``.
        button: The words of the button that saves.
        save: Saves, and returns what the page is to expect from then on; None: the form is not whole yet.
    """
    if save is None:
        return render_template("authoring/saved.html", said="Not saved yet: something is missing.")
    at = clock.now()
    with transaction():
        other = services.claim_place(state.draft_id, place, by=current_user.person_id, at=at)
    if other:
        said = f"Not saved: {other.name} took this over at {clock_time(other.since)}."
        return render_template("authoring/saved.html", said=f"{said} “{button}” still keeps yours.")
    try:
        expected = save()
    except PortalError as error:
        return render_template("authoring/saved.html", said=f"Not saved yet: {error}")
    said = f"Saved at {clock_time(at)}, while you write."
    return render_template("authoring/saved.html", said=said, expected=expected)


def base_text() -> str:
    """What the page of two texts says that both began with; empty where no such page was sent.

    It stays with the form until it is saved: till then nothing is saved quietly over what the other wrote.
    """
    return request.form.get("base", "")


def merge_saved(state: DraftState, path: str, began: str, written: Callable[[bytes], bytes]) -> bytes | None:
    """The file with what was written here and what someone else saved meanwhile.

    Args:
        state: The draft as it stands.
        path: The file's.
        began: Its hash when the page was opened.
        written: The file as the form says it, made of the one that the page was opened with.

    Returns:
        None where both changed one place, or where there is nothing to merge.
    """
    known = any(saved.files.get(path) == began for saved in queries.list_saves(state.draft_id))
    if not known or path not in state.files:
        return None
    before = queries.read_content(began)
    return merge_cleanly(path, before, written(before), queries.read_content(state.files[path]))
