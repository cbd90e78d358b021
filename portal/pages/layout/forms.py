"""Forms that several rooms of pages use, and how what a form says is saved."""

from collections.abc import Iterator
from contextlib import contextmanager

from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import mark_wrong
from portal.platform.db import transaction
from portal.platform.errors import FieldError, PortalError


class ConfirmForm(PortalForm):
    """Nothing to fill in: the button alone, with its token."""


@contextmanager
def save_form(form: PortalForm, *shown: type[PortalError]) -> Iterator[None]:
    """Write what a valid form says, in one transaction. With no error in the form afterwards, it is saved.

    Args:
        form: Shows why a field is refused.
        shown: Other errors that it shows above its fields; those that are not given have a page of their own.
    """
    try:
        with transaction():
            yield
    except FieldError as error:
        mark_refusal(form, error)
    except shown as error:
        form.form_errors += [str(error)]


def mark_refusal(form: PortalForm, error: FieldError) -> None:
    """Say why a form is refused: at the field, or above the form if it has no such field."""
    if error.field in form:
        mark_wrong(form[error.field], str(error))
    else:
        form.form_errors += [str(error)]
