"""Forms to add questions from another system's file: first the file, then what becomes of each question."""

from collections.abc import Sequence
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, SelectField, SubmitField
from wtforms.fields import SelectChoice

from portal.domain.authoring.item_exchange.adding import Addition
from portal.domain.authoring.item_exchange.packages import MOST_BYTES
from portal.domain.authoring.item_exchange.question import MOST_QUESTIONS, ForeignQuestion
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import GovFile, GovSelect, GovSubmit
from portal.platform.wording import plural

LABEL = "govuk-label--s"
AS_FOR_ALL, LEFT_OUT = "", "-"
CHOOSE_OUTCOME = "Choose an outcome for all questions, or one for each"


class ImportForm(PortalForm):
    """The file."""

    file = FileField(
        "File",
        description="GIFT, Moodle XML, or QTI 2.1 or 3.0 as a package or a single question."
        f" Up to {MOST_BYTES // 1024 // 1024} MB and {MOST_QUESTIONS} questions.",
        widget=GovFile(label_classes=LABEL, attributes={"accept": ".txt,.gift,.xml,.zip"}),
        validators=[FileRequired("Choose a file")],
    )
    send = SubmitField("Look at the questions", widget=GovSubmit())


class AddQuestionsForm(PortalForm):
    """The questions of a file that can come, each with its outcome; made by ``build_confirm_form``."""

    questions = HiddenField()  # as ``adding.dump_questions`` gives them
    file_format = HiddenField()
    outcome = SelectField(
        "Outcome of all questions",
        description="You can choose another for a single question below, or leave it out.",
        validate_choice=False,
        widget=GovSelect(label_classes=LABEL),
    )
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
    questions: Sequence[ForeignQuestion] = (),
) -> AddQuestionsForm:
    """The form of these questions.

    Args:
        tables: The questions that can come.
        outcomes: The module's, by key and text.
        questions: The same, as their file has them; empty: a form that was sent.
    """
    known = [SelectChoice(value=key, label=text) for key, text in outcomes]
    choices = [
        SelectChoice(value=AS_FOR_ALL, label="As for all"),
        SelectChoice(value=LEFT_OUT, label="Leave it out"),
        *known,
    ]
    fields = {
        f"outcome-{number}": SelectField(
            f"Outcome of question {number}",
            validate_choice=False,
            choices=choices,
            widget=GovSelect(label_classes="govuk-visually-hidden"),
        )
        for number in range(1, len(tables) + 1)
    }
    form_class = type("QuestionsForm", (AddQuestionsForm,), fields)
    form: AddQuestionsForm = form_class(formdata=None) if questions else form_class()
    form.outcome.choices = [SelectChoice(value="", label="Choose an outcome"), *known]
    keys = {key for key, _ in outcomes}
    for number, question in enumerate(questions, 1):
        proposed = question.outcome if question.outcome in keys else AS_FOR_ALL
        form.question_field(number).data = LEFT_OUT if question.repeats else proposed
    added = sum(form.question_field(n).data != LEFT_OUT for n in range(1, len(tables) + 1))
    form.send.label.text = f"Add these {plural(added, 'question')}"
    return form
