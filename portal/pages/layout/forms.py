"""Forms that several rooms of pages use."""

from flask_wtf import FlaskForm


class ConfirmForm(FlaskForm):  # type: ignore[misc]
    """Nothing to fill in: the button alone, with its token."""
