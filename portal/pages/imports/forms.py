"""Forms of an import: the file, and what each of its columns contains."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wtforms import Field, HiddenField
from wtforms.fields import SelectChoice
from wtforms.validators import Length, Regexp

from portal.domain.imports.columns import (
    COMPLETION,
    EMAIL,
    STAFF_NUMBER,
    TARGETS,
    ColumnMapping,
    ColumnTarget,
    ReadyProfile,
    ready_profiles,
)
from portal.domain.imports.staged import KEPT_FOR
from portal.domain.imports.values import LEFT_OUT, OTHERS, KnownValues, ValueQuestion
from portal.pages.layout.fields import button, drop_down, file_to_send, radios, text_as_typed, tick_box
from portal.pages.layout.forms import (
    PortalForm,
)
from portal.platform.wording import plural

MOST_BYTES = 25 * 1024 * 1024  # of a file sent from a page; a command takes more
LABEL = "govuk-label--s"
MOST_CHARACTERS = 200
SHAPES = {
    "completion": ("One completion", "A row says who completed what, and when."),
    "person": ("One person", "A row has a column for each module or event, with a date or nothing in it."),
}
NAMELESS = "(no name)"
READY = "ready:"  # before the key of a ready profile; no saved profile may begin so
_NONE, _EMPTY = "", "-"
_SCHEMES = {STAFF_NUMBER: "Staff number", EMAIL: "Email address"}


class ChooseForm(PortalForm):
    """The file, and how its columns are matched."""

    file = file_to_send(
        "File",
        f"CSV, TSV, XLSX, XLS or ODS, up to {MOST_BYTES // 1024 // 1024} MB.",
        required="Choose a file",
        bold=True,
        accept=".csv,.tsv,.txt,.xlsx,.xls,.ods",
    )
    shape = radios("Each row of the file is", bold=True)
    profile = drop_down(
        "Columns", "As saved for an earlier file, or as the named system writes them.", bold=True
    )
    send = button("Continue")

    def __init__(
        self,
        shapes: Sequence[str],
        profiles: Sequence[tuple[str, str]],
        ready: Sequence[ReadyProfile],
        **kwargs: Any,
    ) -> None:
        """Fill the choices.

        Args:
            shapes: The shapes to choose from; if there is only one, the field is left out.
            profiles: Names of the saved profiles and their shapes.
            ready: The ready profiles of well-known systems.
            **kwargs: Passed on to the form.
        """
        super().__init__(**kwargs)
        self.shapes = {f"{READY}{profile.key}": profile.shape for profile in ready} | dict(profiles)
        if len(shapes) == 1:
            del self.shape
        else:
            self.shape.choices = [
                SelectChoice(value=key, label=SHAPES[key][0], render_kw={"hint": SHAPES[key][1]})
                for key in shapes
            ]
        names = [SelectChoice(value=name, label=f"As in “{name}”") for name, _ in profiles]
        systems = [
            SelectChoice(
                value=f"{READY}{profile.key}",
                label=f"{profile.title}{' (columns assumed)' if profile.assumed else ''}",
            )
            for profile in ready
        ]
        self.profile.choices = [SelectChoice(value="", label="Find them by their names"), *names, *systems]
        self.first_shape = shapes[0]

    @property
    def chosen_shape(self) -> str:
        """What each row is; a chosen profile decides it."""
        if self.profile.data:
            return self.shapes[self.profile.data]
        return str(self.shape.data) if self.shape else self.first_shape

    @property
    def chosen_profile(self) -> str | None:
        """The name of the chosen saved profile, if any."""
        return None if self.chosen_ready else self.profile.data or None

    @property
    def chosen_ready(self) -> str | None:
        """The key of the chosen ready profile, if any."""
        name = self.profile.data or ""
        return name.removeprefix(READY) if name.startswith(READY) else None

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate; the shape is required only without a profile."""
        if self.shape and self.profile.data:
            del self.shape
        return bool(super().validate(extra_validators))


class MappingForm(PortalForm):
    """A select for each value that the portal needs; ``build_mapping_form`` adds them."""

    save_as = text_as_typed(
        "Save these choices as a profile",
        "A name such as “HR, monthly”. Leave it empty to use these choices only once.",
        checks=[
            Length(max=80, message="Profile name must be 80 characters or fewer"),
            Regexp(f"(?!{READY})", message=f"Profile name must not begin with “{READY}”"),
        ],
        bold=True,
    )
    ask_again = tick_box("Ask me again what values mean")
    keeps_unknown = tick_box(
        f"Keep rows of people who are not on the roster for {KEPT_FOR.days} days",
        "If this is not ticked, a file with such a row is refused. Whoever may import "
        "completions sees kept rows and can erase them. Once a person is on the roster, the next import "
        "proposes their rows.",
    )
    send = button("Check the file")
    keeps_before = False  # whether the mapping says so already

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate; rows of unknown people are kept only under a profile, so that it is known why."""
        valid = bool(super().validate(extra_validators))
        keeps = bool(self.keeps_unknown and self.keeps_unknown.data)
        if keeps and not self.keeps_before and not (self.save_as.data or "").strip():
            self.save_as.errors = ["Enter a name: rows are kept only under a profile"]
            return False
        return valid


def build_mapping_form(
    mapping: ColumnMapping,
    columns: Sequence[str],
    activities: Mapping[str, str],
    schemes: Sequence[str],
    save_as: str = "",
) -> MappingForm:
    """Build the form for a file with these columns, filled with ``mapping`` or with what was sent."""
    fields: dict[str, Any] = {}
    data: dict[str, Any] = {"save_as": save_as}
    for place, (column, text) in enumerate(_list_rules(mapping)):
        fields[f"left_out_{place}"] = tick_box(
            f"Leave out rows where “{column}” is {f'“{text}”' if text else 'empty'}"
        )
        data[f"left_out_{place}"] = True
    for target in TARGETS[mapping.shape]:
        fields |= _target_fields(target, columns)
        data |= _target_data(target, mapping, columns)
    if mapping.shape != "post":
        fields["person_by"] = drop_down(
            "That column contains each person’s",
            choices=[SelectChoice(value=s, label=_SCHEMES.get(s, s)) for s in schemes],
        )
        data["person_by"] = mapping.person_by
    if mapping.shape == "person":
        choices = [SelectChoice(value=_NONE, label="Not used"), *_activity_choices(activities)]
        for place, column in enumerate(columns):
            fields[f"activity_{place}"] = drop_down(
                f"“{column or NAMELESS}”", choices=choices, validate_choice=True
            )
            data[f"activity_{place}"] = mapping.activities.get(column, _NONE)
    data["keeps_unknown"] = mapping.keeps_unknown
    form: MappingForm = type("MappingFormOfFile", (MappingForm,), fields)(data=data)
    form.keeps_before = mapping.keeps_unknown
    if not (mapping.forms or mapping.values):
        del form.ask_again
    if mapping.shape == "post":
        del form.keeps_unknown
    return form


def _list_rules(mapping: ColumnMapping) -> list[tuple[str, str]]:
    """The values for which rows are left out, each with its column."""
    return [(column, text) for column, texts in mapping.left_out.items() for text in texts]


def _activity_choices(activities: Mapping[str, str]) -> list[Any]:
    return [SelectChoice(value=key, label=f"{title} ({key})") for key, title in activities.items()]


def _target_fields(target: ColumnTarget, columns: Sequence[str]) -> dict[str, Field]:
    choices = [SelectChoice(value=_NONE, label="Choose a column")]
    if not target.needed:
        label = "Not in the file: leave it as it is" if target.stays else "Not in the file: leave it empty"
        choices.append(SelectChoice(value=_EMPTY, label=label))
    choices += [SelectChoice(value=str(n), label=column or NAMELESS) for n, column in enumerate(columns)]
    fields: dict[str, Field] = {
        f"column_{target.name}": drop_down(target.label, target.hint, bold=True, choices=choices)
    }
    if target.fixed:
        fields[f"fixed_{target.name}"] = text_as_typed(
            f"Or the same in every row: {target.label[:1].lower()}{target.label[1:]}",
            checks=[Length(max=MOST_CHARACTERS, message=f"Enter {MOST_CHARACTERS} characters or fewer")],
        )
    return fields


def _target_data(target: ColumnTarget, mapping: ColumnMapping, columns: Sequence[str]) -> dict[str, str]:
    column, fixed = mapping.columns.get(target.name), mapping.fixed.get(target.name)
    place = str(columns.index(column)) if column is not None and column in columns else _NONE
    if column is None and fixed == "":
        place = _EMPTY
    return {f"column_{target.name}": place, f"fixed_{target.name}": fixed or ""}


def read_mapping(form: MappingForm, saved: ColumnMapping, columns: Sequence[str]) -> ColumnMapping:
    """The mapping that was chosen in the form; answers about values stay for columns that stay."""
    shape = saved.shape
    mapping = ColumnMapping(
        shape,
        person_by=form.person_by.data if "person_by" in form else STAFF_NUMBER,
        short_years=saved.short_years,
        ready=saved.ready,
        ready_digest=saved.ready_digest,
        sheet=saved.sheet,
        keeps_unknown=bool(form.keeps_unknown and form.keeps_unknown.data),
    )
    for place, (column, text) in enumerate(_list_rules(saved)):
        if form[f"left_out_{place}"].data:
            mapping.left_out.setdefault(column, []).append(text)
    for target in TARGETS[shape]:
        place = form[f"column_{target.name}"].data
        fixed = (form[f"fixed_{target.name}"].data or "").strip() if target.fixed else ""
        if place == _EMPTY or (place == _NONE and fixed):
            mapping.fixed[target.name] = fixed
        elif place != _NONE:
            mapping.columns[target.name] = columns[int(place)]
    if shape == "person":
        chosen = ((column, form[f"activity_{n}"].data) for n, column in enumerate(columns))
        mapping.activities.update((column, activity) for column, activity in chosen if activity)
    if form.ask_again and form.ask_again.data:
        ready = ready_profiles().get(saved.ready)
        mapping.values.update({name: dict(texts) for name, texts in ready.values.items()} if ready else {})
        return mapping
    stays = {t.name for t in TARGETS[shape] if saved.columns.get(t.name) == mapping.columns.get(t.name)}
    mapping.forms.update({name: form for name, form in saved.forms.items() if name in stays})
    mapping.values.update({name: meanings for name, meanings in saved.values.items() if name in stays})
    return mapping


def add_gap_errors(form: MappingForm, gaps: Mapping[str, str]) -> bool:
    """Add an error to each field whose value is missing or given twice; return whether there is any."""
    for field in list(form):
        name = field.name.removeprefix("fixed_")
        if field.name != name and field.data and form[f"column_{name}"].data not in {_NONE, _EMPTY}:
            gaps = {**gaps, name: "Choose a column or enter one value for every row, not both"}
    for name, sentence in gaps.items():
        field = form[f"column_{name}"] if name != "activities" else form["activity_0"]
        field.errors = [*field.errors, sentence]
    return bool(gaps)


class ApplyForm(PortalForm):
    """The button that applies what the page shows."""

    expected = HiddenField()
    send = button("Apply the import")


# The form that asks what values of a file mean.

MOST_VALUE_CHARACTERS = 2_000  # of a unit's path
FEW = 3  # so many values of a column are answered one by one
NEW = ("unit_path", "rank_or_grade", "designated_role")  # columns of which a value may be new


class ValuesForm(PortalForm):
    """A field for each question; ``build_values_form`` adds them."""

    send = button("Check the file")

    def __init__(self, questions: Sequence[ValueQuestion], known: KnownValues, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.questions, self.known = list(questions), known

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate; every question needs an answer, unless all other values of its column are left out."""
        valid = bool(super().validate(extra_validators))
        for place, question in enumerate(self.questions):
            field = self[f"answer_{place}"]
            problem = (
                ""
                if self.settles_others(question.target) and not field.data
                else _find_problem(field, question, self.known)
            )
            if problem:
                field.errors = [problem]
                valid = False
        return valid

    def settles_others(self, target: str) -> bool:
        """Whether every value of the column without an answer is left out, or new."""
        return f"others_{target}" in self and bool(self[f"others_{target}"].data)


class ColumnQuestions(NamedTuple):
    """The questions about one column of the file, with their places in the form."""

    target: ColumnTarget
    column: str  # the file's name of it; empty if every row has the same value
    questions: list[tuple[int, ValueQuestion]]


def build_values_form(questions: Sequence[ValueQuestion], known: KnownValues) -> ValuesForm:
    """Build the form for these questions, filled with what is likeliest or with what was sent.

    Args:
        questions: Those of one page.
        known: The values that they were asked with; what is typed is compared with them.
    """
    fields: dict[str, Any] = {}
    for place, question in enumerate(questions):
        fields[f"answer_{place}"] = _question_field(question)
        named = [other for other in questions if other.target == question.target and other.text]
        if len(named) > FEW and (label := _label_for_others(question)):
            fields[f"others_{question.target}"] = tick_box(label)
    data = {f"answer_{n}": question.proposed for n, question in enumerate(questions)}
    form: ValuesForm = type("ValuesFormOfFile", (ValuesForm,), fields)(questions, known, data=data)
    return form


def _label_for_others(question: ValueQuestion) -> str:
    """What may be said of all values of a column that are not answered one by one; empty for nothing."""
    if any(value == LEFT_OUT for value, _ in question.choices):
        return "Leave out every other value, in later files too"
    return "Every other value is new: take it as it is written" if question.target in NEW else ""


def _question_field(question: ValueQuestion) -> Field:
    label = f"“{question.text}”, {plural(question.rows, 'row')}" if question.text else "How it is written"
    if not question.choices:
        return text_as_typed(
            label,
            "The unit’s path, names from the force down, joined by “/”.",
            checks=[
                Length(
                    max=MOST_VALUE_CHARACTERS, message=f"Enter {MOST_VALUE_CHARACTERS} characters or fewer"
                )
            ],
        )
    choices = [SelectChoice(value=value, label=name) for value, name in question.choices]
    if not question.proposed:
        choices.insert(0, SelectChoice(value="", label="Choose what it means"))
    description = f"In the file: {', '.join(question.samples)}" if question.samples else ""
    return drop_down(label, description, choices=choices)


def _find_problem(field: Field, question: ValueQuestion, known: KnownValues) -> str:
    """Why an answer cannot be taken; empty if it can."""
    answer = (field.data or "").strip()
    if not answer:
        return f"Say what “{question.text or question.samples[0]}” means"
    return "" if question.choices else known.find_answer_fault(answer)


def read_answers(form: ValuesForm, questions: Sequence[ValueQuestion]) -> Mapping[tuple[str, str], str]:
    """The answers, by our name of the column and the file's value.

    Args:
        form: With the questions of one page.
        questions: Every one of the file; what is said of all other values answers those of later pages, too.
    """
    answers = {
        (question.target, question.text): (form[f"answer_{place}"].data or "").strip()
        for place, question in enumerate(form.questions)
    }
    others = {}
    for question in questions:
        if not form.settles_others(question.target):
            continue
        if question.target not in NEW:
            others[question.target, OTHERS] = LEFT_OUT
        elif question.choices and not question.proposed:
            others[question.target, question.text] = question.choices[0][0]
    return others | {key: answer for key, answer in answers.items() if answer}


def group_by_column(questions: Sequence[ValueQuestion], mapping: ColumnMapping) -> list[ColumnQuestions]:
    """The questions of each column, as the page shows them; all days of a row that is a person are one."""
    targets = COMPLETION if mapping.shape == "person" else mapping.targets
    groups = [
        ColumnQuestions(
            target,
            mapping.columns.get(target.name, ""),
            [(n, q) for n, q in enumerate(questions) if q.target == target.name],
        )
        for target in targets
    ]
    return [group for group in groups if group.questions]
