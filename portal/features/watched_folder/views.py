"""What the pages of imports show of the watched folder."""

from flask import Blueprint, render_template

from portal.domain.imports.models import ImportRun
from portal.features.watched_folder.folder import read_own_settings
from portal.features.watched_folder.importing import find_waiting_file, read_folder_status
from portal.platform import clock

bp = Blueprint("watched_folder", __name__, template_folder="templates")


def show_status(kinds: list[str]) -> str:
    """How the folder is, for whoever may import these kinds; empty where none is watched."""
    if not kinds or not read_own_settings().path:
        return ""
    return render_template("watched_folder/status.html", folder=read_folder_status(kinds, clock.now()))


def show_reasons(run: ImportRun) -> str:
    """Why the file of this import waits for a person; empty where it does not."""
    held = find_waiting_file(run.id) if run.from_folder else None
    return render_template("watched_folder/reasons.html", held=held) if held else ""
