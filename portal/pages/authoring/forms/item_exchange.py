"""Forms to add questions from another system's file: first the file, then what becomes of each question."""

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, SelectField, SubmitField
from wtforms.fields import SelectChoice

from portal.domain.authoring.item_exchange.adding import Addition
from portal.domain.authoring.item_exchange.packages import MOST_BYTES
from portal.domain.authoring.item_exchange.question import MOST_QUESTIONS
from portal.pages.layout.form_widgets import GovFile, GovSelect, GovSubmit
from portal.platform.wording import plural

LABEL = "govuk-label--s"
AS_FOR_ALL, LEFT_OUT = "", "-"
CHOOSE_OUTCOME = "Choose an outcome for all questions, or one for each"


class ImportForm(FlaskForm):  # type: ignore[misc]
    """The file."""

    file = FileField(
        "File",
        description="GIFT, Moodle XML, or QTI 2.1 or 3.0 as a package or a single question."
        f" Up to {MOST_BYTES // 1024 // 1024} MB and {MOST_QUESTIONS} questions.",
        widget=GovFile(label_classes=LABEL, attributes={"accept": ".txt,.gift,.xml,.zip"}),
        validators=[FileRequired("Choose a file")],
    )
    send = SubmitField("Look at the questions", widget=GovSubmit())


class ConfirmForm(FlaskForm):  # type: ignore[misc]
    """The questions of a file that can come, each with its outcome; made by ``build_confirm_form``."""

    questions = HiddenField()  # as ``adding.dump_questions`` gives them
    file_format = HiddenField()
    outcome = SelectField("Outcome", validate_choice=False, widget=GovSelect(label_classes=LABEL))
    send = SubmitField("Add", widget=GovSubmit())

    def question_field(self, number: int) -> SelectField:
        """The field of the question that has this place among those that come, from 1."""
        return self[f"outcome-{number}"]

    def read_additions(self, tables: Sequence[dict[str, Any]]) -> list[Addition]:
        """The questions that are to be added, with their outcomes; empty where none was chosen."""
        chosen = [str(self.question_field(number).data or "") for number in range(1, len(tables) + 1)]
        return [
            Addition(table, outcome or str(self.outcome.data or ""))
            for table, outcome in zip(tables, chosen, strict=True)
            if outcome != LEFT_OUT
        ]


def build_confirm_form(
    tables: Sequence[dict[str, Any]],
    outcomes: Sequence[tuple[str, str]],
    proposed: Sequence[str] = (),
) -> ConfirmForm:
    """The form of these questions.

    Args:
        tables: The questions that can come.
        outcomes: The module's, by key and text.
        proposed: The outcome that the file names for each question; empty: a form that was sent.
    """
    known = [SelectChoice(value=key, label=text) for key, text in outcomes]
    fields = {
        f"outcome-{number}": SelectField(
            f"Outcome of question {number}",
            validate_choice=False,
            choices=[
                SelectChoice(value=AS_FOR_ALL, label="As for all"),
                SelectChoice(value=LEFT_OUT, label="Leave it out"),
                *known,
            ],
            widget=GovSelect(label_classes="govuk-visually-hidden"),
        )
        for number in range(1, len(tables) + 1)
    }
    form: ConfirmForm = type("QuestionsForm", (ConfirmForm,), fields)(
        **({"formdata": None} if proposed else {})
    )
    form.outcome.choices = [SelectChoice(value="", label="Choose an outcome"), *known]
    form.send.label.text = f"Add these {plural(len(tables), 'question')}"
    keys = {key for key, _ in outcomes}
    for number, outcome in enumerate(proposed, 1):
        form.question_field(number).data = outcome if outcome in keys else AS_FOR_ALL
    return form
