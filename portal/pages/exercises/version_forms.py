"""Forms to propose a version of an exercise, and to decide on a proposal."""

from flask_wtf.file import FileField, FileRequired
from wtforms import SubmitField

from portal.domain.exercises.sources.archive import MEBIBYTE, MOST_ARCHIVE_BYTES
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import LinesField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovFile, GovSubmit, GovTextarea

LABEL = "govuk-label--s"
LONGEST = 2000


class ExerciseProposalForm(PortalForm):
    """A folder as a ZIP, and why."""

    file = FileField(
        "The exercise's folder as a ZIP",
        description="One folder, whose name is the exercise's key, with exercise.toml, briefing.md,"
        " facilitator.md, debrief.md, injects and media."
        f" Up to {MOST_ARCHIVE_BYTES // MEBIBYTE} MB.",
        widget=GovFile(label_classes=LABEL, attributes={"accept": ".zip"}),
        validators=[FileRequired("Choose a ZIP")],
    )
    note = LinesField(
        "What you changed, and why",
        description="Whoever publishes it reads this first."
        " Name the source where the law or a number changed.",
        widget=GovTextarea(label_classes=LABEL, rows=4),
        validators=[RequiredText("Say what you changed, and why"), MaximumLength(LONGEST)],
    )
    send = SubmitField("Check it and send it", widget=GovSubmit())


class ReturnExerciseForm(PortalForm):
    """Ends a proposal without publishing."""

    reason = LinesField(
        "What must change before it can be published",
        description="The author sees this.",
        widget=GovTextarea(label_classes=LABEL, rows=4),
        validators=[
            RequiredText("Say what must change before it can be published"),
            MaximumLength(LONGEST),
        ],
    )
    send = SubmitField("Send back", widget=GovSubmit())
