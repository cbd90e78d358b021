"""What the page of kept forms shows: in words what each form is, and the fields to send again."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException

from portal.domain.accounts.sign_in.held_forms import DecryptedForm

_SENTENCES = {  # by the endpoint to which the form goes; the placeholders are parts of its address
    "assessment.save_answer": "Your answer to question {number} was kept",
    "assessment.submit_attempt": "Your answers were kept, and are not submitted yet",
    "guides.acknowledge_guide": "Your note that you have read this was kept",
    "learning.complete_lesson": "Your note that this lesson is complete was kept",
    "learning.save_case_step": "What you decided or wrote in a case was kept",
}
_OTHER = "What you sent was kept"


@dataclass(frozen=True, slots=True)
class KeptForm:
    """One kept form, as its person sees it before they send it again."""

    sentence: str  # says what was kept
    path: str
    held_at: datetime
    token_hash: str
    fields: list[tuple[str, str]]


def present_kept_form(form: DecryptedForm) -> KeptForm:
    """The form in words, with its fields."""
    fields = parse_qsl(form.body, keep_blank_values=True)
    return KeptForm(_sentence_of(form.path), form.path, form.held_at, form.token_hash, fields)


def _sentence_of(path: str) -> str:
    """Say what a form sent to this address is."""
    try:
        endpoint, values = current_app.url_map.bind("").match(urlsplit(path).path, "POST")
    except HTTPException:  # its page has gone since
        return _OTHER
    return _SENTENCES.get(endpoint, _OTHER).format_map(values)
