"""What other pages show of the assurance desk: what waits for a person, links and notes."""

from collections.abc import Iterator
from urllib.parse import urlencode

from flask import render_template, url_for

from portal.domain.people.visibility import Viewer
from portal.features.assurance.evidence import count_sent_back, list_judgements_for
from portal.features.assurance.services import count_own_actions
from portal.pages.layout.navigation import Waiting
from portal.platform import clock
from portal.platform.wording import plural

ACTION_ADDRESS = "/assurance/intelligence-documents/actions/new"


def find_judgements(viewer: Viewer) -> Iterator[Waiting]:
    """Judgements that somebody else made."""
    if count := len(list_judgements_for(viewer.person_id)):
        yield Waiting(
            f"{plural(count, 'judgement waits', 'judgements wait')} for you",
            plural(count, "judgement to confirm or send back", "judgements to confirm or send back"),
            url_for("assurance.show_own_work"),
            "Made by somebody else. Each counts once a second person confirms it",
        )


def find_sent_back(viewer: Viewer) -> Iterator[Waiting]:
    """Judgements of the viewer that were sent back."""
    if count := count_sent_back(viewer.person_id):
        yield Waiting(
            f"{plural(count, 'judgement was', 'judgements were')} sent back to you",
            plural(count, "judgement to make again", "judgements to make again"),
            url_for("assurance.show_own_work"),
            "Sent back by a second person, who says what has to change",
        )


def find_actions(viewer: Viewer) -> Iterator[Waiting]:
    """Actions that the viewer owns."""
    if count := count_own_actions(viewer.person_id, clock.today()):
        yield Waiting(
            f"{plural(count, 'action is', 'actions are')} yours to do",
            plural(count, "action to see to", "actions to see to"),
            url_for("assurance.show_own_work"),
            "For the force’s answer to the inspection",
        )


def address_of_new_action(title: str) -> str:
    """Where an action about intelligence documents is opened, its title filled in."""
    return f"{ACTION_ADDRESS}?{urlencode({'title': title})}"


def note_on_attendance() -> str:
    """What the desk counts of attendance beside the figures of events."""
    return render_template("assurance/attendance_note.html")
