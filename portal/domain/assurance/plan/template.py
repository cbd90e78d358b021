"""What a plan answers: sections and questions, read from ``template.toml`` beside this file. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from portal.domain.catalogue.sources.folder_reader import decode_text
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import Source, Table, read_key

_FILE = Path(__file__).parent / "template.toml"
KINDS = ("line", "lines")
LONGEST_ANSWER = 2_000  # characters
LONGEST_MILESTONE = 150


@dataclass(frozen=True, slots=True)
class PlanQuestion:
    """One question of the plan."""

    key: str
    label: str
    hint: str
    kind: str  # one of ``KINDS``
    most: int  # characters
    required: bool
    setting: str  # the detail of the force that the answer fills; "" for none


@dataclass(frozen=True, slots=True)
class PlanSection:
    """Questions that one form asks."""

    key: str
    title: str
    about: str
    questions: tuple[PlanQuestion, ...]

    def list_missing(self, answers: Mapping[str, str]) -> list[PlanQuestion]:
        """Its questions that must be answered and are not."""
        return [each for each in self.questions if each.required and not answers.get(each.key)]


@dataclass(frozen=True, slots=True)
class PlanTemplate:
    """What a plan answers, and what a force usually does about it first."""

    sections: tuple[PlanSection, ...]
    milestones: tuple[str, ...]  # titles of actions that a force may add

    @property
    def questions(self) -> tuple[PlanQuestion, ...]:
        """All questions, in order."""
        return tuple(question for section in self.sections for question in section.questions)

    @property
    def settings(self) -> dict[str, PlanQuestion]:
        """The question that fills each detail of the force."""
        return {each.setting: each for each in self.questions if each.setting}

    def find_section(self, key: str) -> PlanSection | None:
        """The section with this key."""
        return next((section for section in self.sections if section.key == key), None)


@cache
def plan_template() -> PlanTemplate:
    """The template that this release brings.

    Raises:
        BadInputError: Its file has faults.
    """
    return parse_template(_FILE.read_bytes())


def parse_template(content: bytes) -> PlanTemplate:
    """Read and check a template.

    Raises:
        BadInputError: It has faults; each is named with its line.
    """
    faults = Faults()
    text = decode_text(content, _FILE.name, faults)
    root = None if text is None else Source(text, _FILE.name, faults).root()
    template = PlanTemplate((), ()) if root is None else _read_root(root)
    faults.refuse()
    return template


def _read_root(root: Table) -> PlanTemplate:
    sections = tuple(_read_section(table) for table in root.tables("section"))
    milestones = tuple(_read_milestones(root))
    template = PlanTemplate(sections, milestones)
    for what, keys in (
        ("section", [each.key for each in sections]),
        ("question", [each.key for each in template.questions]),
        ("setting", [each.setting for each in template.questions if each.setting]),
    ):
        if len(set(keys)) < len(keys):
            root.fault("section", f"Two of the same {what}. Give each a key of its own.")
    root.close()
    return template


def _read_section(table: Table) -> PlanSection:
    section = PlanSection(
        key=read_key(table),
        title=table.text("title"),
        about=table.text("about"),
        questions=tuple(_read_question(each) for each in table.tables("question", "[[section.question]]")),
    )
    table.close()
    return section


def _read_question(table: Table) -> PlanQuestion:
    question = PlanQuestion(
        key=read_key(table),
        label=table.text("label"),
        hint=table.text("hint"),
        kind=table.text("kind"),
        most=table.number("most", least=1),
        required=table.flag("required", default=True),
        setting=table.text("setting", required=False),
    )
    if question.kind not in KINDS:
        table.fault("kind", f"“{question.kind}” is not a kind of question. Use {' or '.join(KINDS)}.")
    if question.most > LONGEST_ANSWER:
        table.fault("most", f"Use {LONGEST_ANSWER} or fewer.")
    if question.setting and question.kind != "line":
        table.fault("setting", "A detail of the force is one line.")
    table.close()
    return question


def _read_milestones(root: Table) -> Iterator[str]:
    for table in root.tables("milestone"):
        title = table.text("title")
        if len(title) > LONGEST_MILESTONE:
            table.fault("title", f"Use {LONGEST_MILESTONE} characters or fewer.")
        table.close()
        yield title
