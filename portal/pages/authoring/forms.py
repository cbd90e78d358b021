"""Forms to create a module or a guide, and to search the questions of a draft."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar

from werkzeug.datastructures import MultiDict
from wtforms import (
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    ValidationError,
)
from wtforms.fields import SelectChoice

from portal.domain.authoring.files import CASE_KINDS, MEDIA_BYTES, MOST_MINUTES, unknown_checks
from portal.domain.authoring.item_exchange.files import MOST_BYTES
from portal.domain.authoring.item_exchange.questions import MOST_QUESTIONS, ForeignQuestion
from portal.domain.authoring.item_exchange.services import Addition
from portal.domain.authoring.media import DRAWING_BYTES, MediaUpload
from portal.domain.catalogue.media import ALIASES, CONTENT_TYPES
from portal.domain.catalogue.media_rules import FILM_BYTES, SOUND_BYTES
from portal.domain.records.queries import EXTRA_REASONS
from portal.pages.authoring.item_forms import note_field, parts_field
from portal.pages.layout.fields import (
    button,
    drop_down,
    file_to_send,
    long_line,
    one_day,
    radios,
    text_as_typed,
    text_line,
    text_lines,
    tick_box,
    whole_number,
)
from portal.pages.layout.forms import (
    LONGEST_TEXT,
    GovCheckboxes,
    GovInput,
    GovRadios,
    GovTextarea,
    LineField,
    LinesField,
    MaximumLength,
    PercentageField,
    PlainForm,
    PortalForm,
    RequiredText,
    Rows,
    WholeNumberField,
)
from portal.platform.clock import read_london_time
from portal.platform.isolation.messages import MEBIBYTE
from portal.platform.wording import plural

LABEL = "govuk-label--s"
KEY_BOX = GovInput(
    classes="govuk-input--width-20",
    label_classes=LABEL,
    autocomplete="off",
    autocapitalize="none",
    spellcheck=False,
)
QUESTION_STATES = {
    "in-use": "In use",
    "retired": "Retired",
    "put-right": "Something to put right",
    "consider": "Something to consider",
}
Choice = tuple[str, str]  # value and label
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class NewForm(PortalForm):
    """The title and key of a new module or guide."""

    noun: ClassVar[str]
    key: LineField

    def validate_key(self, field: LineField) -> None:
        """Refuse a key that is not fit for addresses."""
        if not _KEY.fullmatch(str(field.data)):
            raise ValidationError(
                "Enter the short name with small letters, digits and hyphens, such as “protect”"
            )


class NewModuleForm(NewForm):
    """The form to create a module."""

    noun = "module"
    title = text_line(
        "Title",
        "What learners will see in their list, such as “Protect: law, victims and children”."
        " You can change it later.",
        required="Enter a title",
        most=120,
        bold=True,
    )
    key = LineField(
        "Short name",
        description="One or two words for the module’s address and for directives, such as “protect”: small"
        " letters, digits and hyphens. It cannot be changed later.",
        widget=KEY_BOX,
        validators=[RequiredText("Enter a short name, such as “protect”"), MaximumLength(40)],
    )
    send = button("Create the module")


class NewGuideForm(NewForm):
    """The form to create a guide."""

    noun = "guide"
    title = text_line(
        "Title",
        "What readers will see in the list of guides, such as “Who to call and what they need"
        " from you”. You can change it later.",
        required="Enter a title",
        most=120,
        bold=True,
    )
    key = LineField(
        "Short name",
        description="A few words for the guide’s address and for directives, such as “who-to-call”: small"
        " letters, digits and hyphens. It cannot be changed later.",
        widget=KEY_BOX,
        validators=[RequiredText("Enter a short name, such as “who-to-call”"), MaximumLength(40)],
    )
    send = button("Create the guide")


class QuestionFilterForm(PlainForm):
    """The search of a draft's questions, kept in the address.

    Args:
        outcomes: The module's, by key and text.
        lessons: Its lessons, by key and title.
    """

    words = text_as_typed("Words", bold=True)
    outcome = drop_down("Outcome", bold=True, validate_choice=False)
    lesson = drop_down("Lesson", bold=True, validate_choice=False)
    state = drop_down("State", bold=True, validate_choice=False)

    def __init__(
        self, arguments: MultiDict[str, str], outcomes: Sequence[Choice], lessons: Sequence[Choice]
    ) -> None:
        super().__init__(arguments)
        self.outcome.choices = _choices("All outcomes", outcomes)
        self.lesson.choices = _choices("All lessons", lessons)
        self.state.choices = _choices("All states", list(QUESTION_STATES.items()))

    @property
    def lists(self) -> list[SelectField]:
        """The fields with a list."""
        return [self.outcome, self.lesson, self.state]


def _choices(everything: str, choices: Sequence[Choice]) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=text) for value, text in [("", everything), *choices]]


# The form of a module's details: title and owner, outcomes, rules of the assessment.

MOST_OUTCOMES = 20


class OutcomeForm(PlainForm):
    """One outcome; its key, which lessons and questions refer to, is empty for a new one."""

    key = HiddenField()
    text = long_line("Outcome", most=300, rows=2)


class DetailsForm(PortalForm):
    """The values of ``module.toml``, without the order of lessons."""

    expected = HiddenField()
    title = text_line(
        "Title",
        "What learners see in their list, such as “Protect: law, victims and children”.",
        required="Enter a title",
        most=120,
        bold=True,
    )
    aim = text_lines(
        "Aim",
        "One sentence that says what a learner can do after the module.",
        required="Enter the aim in one sentence",
        most=600,
        bold=True,
        rows=3,
    )
    owner = text_line(
        "Owner",
        "The unit that is responsible for the content, such as “Learning and development”.",
        required="Enter the unit that is responsible for the content",
        most=120,
        bold=True,
    )
    review_on = one_day(
        "Review by",
        "The day by which someone must check it against the law again, such as 31 May 2027.",
        bold=True,
    )
    minutes = whole_number(
        "Minutes for the whole module",
        "The time for all lessons and the assessment. Learners plan by it.",
        width=3,
        bold=True,
        least=1,
        most=600,
        message="Enter the minutes as a whole number from 1 to 600, such as 30",
    )
    outcomes = Rows(FormField(OutcomeForm))
    parts = parts_field()
    mastery = PercentageField(
        "Pass mark",
        message="Enter the pass mark as a number from 1 to 100, such as 80",
        description="The share of marks needed to pass. With 12 questions, 80 means that 10 must be right.",
        widget=GovInput(
            classes="govuk-input--width-3", label_classes=LABEL, inputmode="numeric", suffix={"text": "%"}
        ),
    )
    draw = whole_number(
        "Questions in each attempt",
        "Each attempt draws different questions at random.",
        width=3,
        bold=True,
        least=1,
        most=200,
        message="Enter how many questions an attempt has, as a whole number from 1 to 200",
    )
    at_least = whole_number(
        "Least number of questions on each outcome",
        "With 1, every attempt asks about every outcome. Leave blank for any number.",
        width=3,
        bold=True,
        least=0,
        most=200,
        if_empty=0,
        message="Enter a whole number, such as 1, or leave it empty",
    )
    attempts = whole_number(
        "Number of attempts",
        "How often people may try. Leave blank for no limit.",
        width=3,
        bold=True,
        least=0,
        most=1000,
        if_empty=0,
        message="Enter a whole number, such as 3, or leave it empty for no limit",
    )
    wait_minutes = whole_number(
        "Minutes to wait after a failed attempt",
        "Time to look at the lessons again, such as 60 for an hour. Leave blank for no wait.",
        bold=True,
        least=0,
        most=100_000,
        if_empty=0,
        message="Enter the minutes as a whole number, such as 60, or leave it empty for no wait",
    )
    pause_after = whole_number(
        "Pause after how many failed attempts",
        "Such as 3, and again after 6. Leave blank for no pause.",
        width=3,
        bold=True,
        least=0,
        most=100,
        if_empty=0,
        message="Enter a whole number, such as 3, or leave it empty for no pause",
    )
    pause_hours = whole_number(
        "Hours of the pause",
        "Time for help. A line manager can end it earlier. Such as 24.",
        width=3,
        bold=True,
        least=0,
        most=1000,
        if_empty=0,
        message="Enter the hours as a whole number, such as 24",
    )
    test_out = tick_box(
        "Let people take the assessment without reading the lessons first",
        "For people who already know the subject. The pass mark is the same. The force can decide"
        " otherwise for all modules.",
    )
    pre_test = tick_box(
        "Offer a try before the lessons",
        "It asks the checks of the lessons, records nothing, and says which lessons to read.",
    )

    note = note_field()

    def validate_pause_hours(self, field: WholeNumberField) -> None:
        """Refuse a pause without a length, and a length without a pause."""
        if bool(field.number) != bool(self.pause_after.number):
            raise ValidationError("Enter both the number of failed attempts and the hours, or neither")

    def validate_draw(self, field: WholeNumberField) -> None:
        """Refuse fewer questions than the outcomes need together."""
        needed = len(self.named_outcomes) * (self.at_least.number or 0)
        if field.number is not None and needed > field.number:
            raise ValidationError(
                f"{field.number} is too few: {plural(len(self.named_outcomes), 'outcome')} with"
                f" {plural(self.at_least.number or 0, 'question')} or more each need {needed}"
            )

    @property
    def named_outcomes(self) -> list[Any]:
        """The forms of outcomes with a text; an empty row is no outcome."""
        return [entry.form for entry in self.outcomes.entries if entry.form.text.data]


# Forms of lessons, the job aid and the briefing.

_LESSON_KINDS = {"text": "A text to read", **CASE_KINDS}
MINUTES = "Minutes to read"
EDITOR = GovTextarea(
    classes="portal-editor",
    label_classes=LABEL,
    rows=26,
    spellcheck=True,
    attributes={"data-text": "yes", "autocomplete": "off"},
)


def _minutes_field() -> WholeNumberField:
    return whole_number(
        MINUTES,
        "The time to read the lesson and answer its check. Most lessons take 3 minutes.",
        width=3,
        bold=True,
        least=1,
        most=MOST_MINUTES,
        message=f"Enter the minutes as a whole number from 1 to {MOST_MINUTES}, such as 3",
    )


class _LessonDetailsForm(PortalForm):
    """A lesson's title, minutes and outcomes; ``outcomes`` are the module's, by key and text."""

    title = text_line("Title", required="Enter a title, such as “Refer or notify”", most=120, bold=True)
    minutes = _minutes_field()
    outcomes = SelectMultipleField(
        "Outcomes that this lesson covers",
        description="What a learner can do afterwards. Select one or more.",
        widget=GovCheckboxes(classes="govuk-checkboxes--small", label_classes="govuk-fieldset__legend--s"),
        validators=[RequiredText("Select at least one outcome that the lesson covers")],
    )

    def __init__(self, outcomes: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.outcomes.choices = [SelectChoice(value=key, label=text) for key, text in outcomes]


class LessonForm(_LessonDetailsForm):
    """One lesson; ``expected`` is the hash of the file that the page showed."""

    expected = HiddenField()
    body = LinesField(
        "Lesson text",
        widget=EDITOR,
        validators=[RequiredText("Write the lesson’s text"), MaximumLength(LONGEST_TEXT)],
    )
    note = note_field()

    def __init__(
        self, outcomes: Sequence[tuple[str, str]], checks: Collection[str] = (), **kwargs: Any
    ) -> None:
        """Fill the list of outcomes; ``checks`` are the keys of the checks that a folded block may name."""
        super().__init__(outcomes, **kwargs)
        self._checks = checks

    def validate_body(self, field: LinesField) -> None:
        """Refuse a folded check that the lesson does not have."""
        unknown = unknown_checks(str(field.data or ""), self._checks)
        if unknown:
            raise ValidationError(
                f"This lesson has no check “{unknown[0]}”. Remove its two lines, and add a check with the"
                " button “Check”"
            )


class CaseForm(PortalForm):
    """One lesson that is a case, as text; ``expected`` is the hash of the file that the page showed."""

    expected = HiddenField()
    title = HiddenField()  # shown above the text, which has it
    body = LinesField(
        "The case as text",
        description="Title, minutes and outcomes first, then scenes or parts. The check says what is wrong.",
        widget=EDITOR,
        validators=[RequiredText("Write the case"), MaximumLength(LONGEST_TEXT)],
    )


class NewLessonForm(_LessonDetailsForm):
    """The details of a new lesson."""

    kind = RadioField(
        "What is it?",
        widget=GovRadios(label_classes="govuk-fieldset__legend--s"),
        choices=[SelectChoice(value=value, label=label) for value, label in _LESSON_KINDS.items()],
        validators=[RequiredText("Select what the lesson is")],
    )


class JobAidForm(PortalForm):
    """The job aid; ``expected`` is the hash of the file that the page showed."""

    expected = HiddenField()
    title = text_line(
        "Title", required="Enter a title, such as “At the roadside: first ten minutes”", most=120, bold=True
    )
    body = LinesField(
        "Text of the job aid",
        description="One page to use in the field: what to do, in order.",
        widget=EDITOR,
        validators=[RequiredText("Write the text of the job aid"), MaximumLength(LONGEST_TEXT)],
    )
    note = note_field()


class BriefingForm(JobAidForm):
    """The briefing; ``expected`` as of the job aid."""

    body = LinesField(
        "Text of the briefing",
        description="One page to read out at parade in five minutes: one case, two questions, the answer.",
        widget=EDITOR,
        validators=[RequiredText("Write the text of the briefing"), MaximumLength(LONGEST_TEXT)],
    )


# The form of a guide: its details and its text.


class GuideForm(PortalForm):
    """One guide; ``expected`` is the hash of the file that the page showed."""

    expected = HiddenField()
    title = text_line(
        "Title",
        required="Enter a title, such as “Who to call and what they need from you”",
        most=120,
        bold=True,
    )
    summary = long_line(
        "Summary",
        "One sentence that says what a reader finds here. The list of guides shows it.",
        required="Enter a summary in one sentence",
        most=300,
        bold=True,
        rows=2,
    )
    body = LinesField(
        "Text of the guide",
        widget=EDITOR,
        validators=[RequiredText("Write the text of the guide"), MaximumLength(LONGEST_TEXT)],
    )
    owner = text_line(
        "Owner",
        "The unit that is responsible for the content, such as “Learning and development”.",
        required="Enter the unit that is responsible for the content",
        most=120,
        bold=True,
    )
    review_on = one_day(
        "Review by",
        "The day by which someone must check it against the law again, such as 31 May 2027.",
        bold=True,
    )
    acknowledge = tick_box(
        "Ask readers to confirm that they have read it",
        "They must confirm again when a new version is published. A directive can require it.",
    )
    note = note_field()


# Forms of a review: sending, commenting and sending back.

LONGEST = 2000


def _words_field(label: str, missing: str, hint: str = "", rows: int = 4) -> LinesField:
    return text_lines(label, hint, required=missing, most=LONGEST, bold=True, rows=rows)


class SendForm(PortalForm):
    """Sends a draft for review; ``expected`` is the number of the state that the page showed."""

    expected = HiddenField()
    note = _words_field(
        "What you changed, and why",
        "Say what you changed, and why",
        "The reviewer reads this first. Name the source where the law or a number changed.",
    )
    send = button("Send for review")


class PassAgainForm(PortalForm):
    """The day from which older passes do not count; it is previewed before it is published."""

    review = HiddenField()
    from_on = one_day(
        "First day on which older passes do not count",
        "For example, 1 September 2027. Leave people time to pass again.",
        bold=True,
        autocomplete=None,
        missing="Enter the first day on which older passes do not count",
    )
    preview = button("Show whom it concerns", secondary=True)


class ScheduleForm(PortalForm):
    """When a reviewed draft is to be published."""

    review = HiddenField()
    when = text_line(
        "When to publish it",
        "A London time on a day, such as 9:00 on 1 September 2027.",
        required="Enter a time and a day, such as 9:00 on 1 September 2027",
        width=20,
        bold=True,
        autocomplete=None,
    )
    send = button("Approve, and publish then")

    def validate_when(self, field: LineField) -> None:
        """Refuse a text that names no instant."""
        if self.instant is None:
            raise ValidationError("Enter a time and a day, such as 9:00 on 1 September 2027")

    @property
    def instant(self) -> datetime | None:
        """The instant; None if the text names none."""
        return read_london_time(str(self.when.data or ""))


class SendBackForm(PortalForm):
    """Ends a review without publishing."""

    review = HiddenField()
    reason = _words_field(
        "What must change before it can be published",
        "Say what must change before it can be published",
        "The author sees this with the comments that you have added.",
    )
    send = button("Send back with a comment")


class CommentForm(PortalForm):
    """Comments on one place of the reviewed draft."""

    review = HiddenField()
    place = HiddenField()
    text = _words_field("Your comment", "Write the comment", rows=3)
    add = button("Add comment", secondary=True)

    def __init__(self, number: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for field in (self.text, self.add):
            field.id = f"{field.name}-{number}" if number else field.name


# The form to archive a module and to name the one that replaces it.

NO_SUCCESSOR = "none"


class ArchiveForm(PortalForm):
    """The module that replaces the archived one, if there is one."""

    successor = radios(
        "Which module replaces it?",
        "Learners are shown the way there. A pass of this module does not count for it.",
        coerce=lambda value: "" if value == NO_SUCCESSOR else str(value or ""),
    )
    send = button("Archive this module")

    def __init__(self, modules: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.successor.choices = [
            *(SelectChoice(value=key, label=title) for key, title in modules),
            SelectChoice(value="", label="None"),
        ]


# The form to open one more attempt by staff number.


class ExtraAttemptByNumberForm(PortalForm):
    """The staff number of the person, and the reason."""

    staff_number = text_line(
        "Staff number",
        "The number with which the person signs in.",
        required="Enter a staff number",
        most=40,
        width=10,
        spellcheck=False,
    )
    reason = radios(
        "Reason",
        required="Select the reason",
        choices=[
            SelectChoice(value=key, label=words[:1].upper() + words[1:])
            for key, words in EXTRA_REASONS.items()
        ],
    )
    send = button("Open one more attempt")


# Forms to upload and to remove a medium.

LONGEST_ALTERNATIVE = 10_000  # a transcript of some ten minutes
NOWHERE = "Nowhere yet"


ACCEPTED = ",".join(f".{ending}" for ending in [*CONTENT_TYPES, *ALIASES])


class UploadForm(PortalForm):
    """A file with its title and description; ``expected`` is the hash of the file it replaces, or empty."""

    expected = HiddenField()
    file = file_to_send(
        "File",
        f"SVG up to {DRAWING_BYTES // 1024} KB, or PNG, JPEG, WebP or PDF"
        f" up to {MEDIA_BYTES // MEBIBYTE} MB,"
        f" or sound (MP3, M4A, OGG, WAV) up to {SOUND_BYTES // MEBIBYTE} MB,"
        f" or film (MP4, WebM) up to {FILM_BYTES // MEBIBYTE} MB."
        " Drawings are best as SVG: they stay sharp and light."
        " The portal removes what a camera adds to a picture, such as the place."
        " It does not remove the author’s name from a PDF, sound or film.",
        required="Choose a file",
        bold=True,
        accept=ACCEPTED,
    )
    captions = file_to_send(
        "Captions",
        "Only for sound and film: a WebVTT file (.vtt) with what is said, in step with it.",
        bold=True,
        accept=".vtt",
    )
    title = text_line(
        "Title",
        "A few words, such as “Three areas of harm”. Leave it blank for an SVG that has its own.",
        most=150,
        bold=True,
    )
    alternative = text_lines(
        "What it shows, or the transcript",
        "Everything that a person who cannot see or hear it needs to know, in sentences."
        " Of a sound or film: all that is said, and by whom."
        " Leave it blank for an SVG that has its own description.",
        most=LONGEST_ALTERNATIVE,
        bold=True,
        rows=5,
    )
    place = drop_down(
        "Show it in",
        "The file goes at the end of this text, with your title and description. You can move it later.",
        bold=True,
        validate_choice=False,
    )
    send = button("Upload")

    def __init__(self, places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        """Fill the list of texts."""
        super().__init__(**kwargs)
        self.place.choices = [
            SelectChoice(value="", label=NOWHERE),
            *(SelectChoice(value=path, label=title) for path, title in places),
        ]

    @property
    def shown_in(self) -> tuple[str, str] | None:
        """The path and title of the text that will show it; None: no text yet."""
        titles = {choice.value: choice.label for choice in self.place.choices if choice.value}
        path = self.place.data
        return (path, titles[path]) if path in titles else None

    def media_upload(self, target: str) -> MediaUpload:
        """The upload, to be stored under the name ``target``, or under its own if that is empty."""
        file, captions = self.file.data, self.captions.data
        return MediaUpload(
            filename=file.filename or "",
            content=file.read(),
            title=self.title.data or "",
            alternative=self.alternative.data or "",
            target=target,
            captions=captions.read() if captions else b"",
        )


class RemoveForm(PortalForm):
    """The form to remove a file."""

    expected = HiddenField()
    send = button("Remove the file", warning=True)


# Forms to add questions from another system's file: first the file, then what becomes of each question.

AS_FOR_ALL, LEFT_OUT = "", "-"
CHOOSE_OUTCOME = "Choose an outcome for all questions, or one for each"


class ImportForm(PortalForm):
    """The file."""

    file = file_to_send(
        "File",
        "Moodle XML, or QTI 2.1 or 3.0 as a package or a single question."
        f" Up to {MOST_BYTES // 1024 // 1024} MB and {MOST_QUESTIONS} questions.",
        required="Choose a file",
        bold=True,
        accept=".xml,.zip",
    )
    send = button("Look at the questions")


class AddQuestionsForm(PortalForm):
    """The questions of a file that can come, each with its outcome; made by ``build_confirm_form``."""

    questions = HiddenField()  # as ``adding.dump_questions`` gives them
    file_format = HiddenField()
    outcome = drop_down(
        "Outcome of all questions",
        "You can choose another for a single question below, or leave it out.",
        bold=True,
        validate_choice=False,
    )
    send = button("Add")

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
        f"outcome-{number}": drop_down(
            f"Outcome of question {number}",
            label_classes="govuk-visually-hidden",
            validate_choice=False,
            choices=choices,
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
