"""The editor of each kind: TOML keys in and out, rows by buttons, and what it refuses."""

import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from portal.pages.layout.forms import error_list
from portal.pages.layout.item_kinds import editor_of_kind
from portal.pages.layout.item_kinds.fields import apply_row_action
from tests.domain.catalogue.kinds_written import BODIES, HEAD, content_of, item
from tests.examples import few_or_many
from tests.pages.layout.item_kinds.editors import Drawn, press

KINDS = sorted(BODIES)
OWN = {"choice", "step", "pair", "extra_right", "start", "scene", "incident", "part"}


def table_of(kind: str) -> dict:
    return tomllib.loads(item(kind))["item"][0]


def own(table: dict) -> dict:
    """The keys of the kind alone."""
    return {name: value for name, value in table.items() if name in OWN}


def opened(app, kind: str, table: dict | None = None) -> Drawn:
    return Drawn(app, kind, editor_of_kind(kind).open_form(table_of(kind) if table is None else table))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_opened_and_saved_is_what_was_written(app, kind):
    form, _ = press(app, kind, opened(app, kind))

    assert form.validate(), form.errors
    assert editor_of_kind(kind).to_item(form) == own(table_of(kind))


texts = st.text(
    st.characters(blacklist_categories=("C",), blacklist_characters="\u2028\u2029"),
    min_size=1,
    max_size=30,
).filter(lambda text: text == text.strip() and text.strip())


@pytest.mark.slow
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=few_or_many(8, 25),
)
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_is_changed_by_the_editor(app, kind, data):
    def reworded(value):
        if isinstance(value, dict):
            kept = {"key", "to", "kind", "start", "weight", "correct"}
            return {name: v if name in kept else reworded(v) for name, v in value.items()}
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return data.draw(st.lists(texts, min_size=1, max_size=3, unique=True))
        return [reworded(v) for v in value] if isinstance(value, list) else data.draw(texts)

    table = reworded(own(table_of(kind)))
    form, _ = press(app, kind, opened(app, kind, table))

    assert form.validate(), form.errors
    assert editor_of_kind(kind).to_item(form) == table


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_item_says_what_is_missing_and_where(app, kind):
    form, _ = press(app, kind, opened(app, kind, {}))

    assert not form.validate()
    found = error_list(form)
    drawn = Drawn(app, kind, form)
    assert len(found) >= 3
    for text, href in found:
        assert text[0].isupper()
        assert href.removeprefix("#") in drawn.ids, (text, href)


GROUPS = {
    "single": "choice",
    "multiple": "choice",
    "order": "step",
    "match": "pair",
    "scenario": "scene",
    "report": "part",
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_move_up_and_down_and_go(app, kind):
    group = GROUPS[kind]
    drawn = opened(app, kind)
    keys = [row["key"] for row in table_of(kind)[group]]
    name = f"{group} 1"

    form, drawn = press(app, kind, drawn, f"Move down {name}")
    assert [row["key"] for row in form[group].data] == [keys[1], keys[0], *keys[2:]]
    second = name.replace("1", "2")
    form, drawn = press(app, kind, drawn, f"Move up {second}")
    assert editor_of_kind(kind).to_item(form) == own(table_of(kind))
    if f"Remove {name}" in drawn.buttons:
        form, drawn = press(app, kind, drawn, f"Remove {name}")
        assert [row["key"] for row in form[group].data] == keys[1:]


@pytest.mark.parametrize(
    ("kind", "button", "group"),
    [
        ("single", "Add another choice", "choice"),
        ("multiple", "Add another choice", "choice"),
        ("order", "Add another step", "step"),
        ("match", "Add another pair", "pair"),
        ("scenario", "Add a scene with choices", "scene"),
        ("scenario", "Add an end", "scene"),
        ("report", "Add a part that is marked", "part"),
        ("report", "Add a part in the learner’s own words", "part"),
    ],
)
def test_a_row_is_added_and_nothing_else_changes(app, kind, button, group):
    form, drawn = press(app, kind, opened(app, kind), button)

    rows = table_of(kind)[group]
    assert [row["key"] for row in form[group].data[:-1]] == [row["key"] for row in rows]
    assert editor_of_kind(kind).to_item(form)[group][: len(rows)] == rows
    assert not form.validate()  # the new row is empty
    assert f"{group}-{len(rows)}" in drawn.ids  # where the browser goes


@pytest.mark.slow
def test_a_scene_gets_a_choice_and_a_choice_a_scene(app):
    form, drawn = press(app, "scenario", opened(app, "scenario"), "Add an end")
    form, drawn = press(app, "scenario", drawn, "Add a choice to scene 2")

    to = form.scene.entries[1].form.choice.entries[2].form.to
    assert [text for _, text in to.choices][-1] == "Scene 6"
    new = to.choices[-1][0]
    sent = {**dict(drawn.fields), "scene-5-text": "A new end", "scene-1-choice-2-text": "Wait"}
    sent |= {
        "scene-1-choice-2-to": new,
        "scene-1-choice-2-weight": "0.25",
        "scene-1-choice-2-feedback": "So.",
    }
    form = editor_of_kind("scenario").form(formdata=MultiDict(sent))
    assert form.validate(), form.errors
    said = editor_of_kind("scenario").to_item(form)
    assert said["scene"][1]["choice"][2] == {
        "key": "a", "text": "Wait", "to": new, "weight": 0.25, "feedback": "So."
    }  # fmt: skip
    assert said["scene"][5] == {"key": new, "text": "A new end"}


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("single", {"choice-1-correct": "y"}, "Mark exactly one choice as right"),
        ("multiple", {"choice-0-correct": None}, "Mark two or more choices as right"),
        ("single", {"choice-0-text": "  "}, "Write the choice"),
        ("scenario", {"scene-0-choice-0-weight": "2"}, "Write a number from 0 to 1"),
        ("scenario", {"scene-0-choice-0-weight": "much"}, "Write a number from 0 to 1"),
        ("scenario", {"scene-0-choice-0-to": "nowhere"}, "Choose the scene to which it leads"),
        ("scenario", {"start": "nowhere"}, "Choose the scene with which it begins"),
        ("report", {"part-0-choice-1-correct": None}, "Mark exactly one choice as right"),
        ("report", {"part-2-model": ""}, "Write a model answer"),
        ("report", {"part-2-checklist": ""}, "Write at least one thing to look for"),
        ("report", {"incident": ""}, "Write what happened"),
        ("match", {"pair-0-left": ""}, "Write what the learner is shown"),
    ],
)
def test_what_cannot_be_saved_is_told_at_its_field(app, kind, changes, said):
    sent = {
        name: value
        for name, value in {**dict(opened(app, kind).fields), **changes}.items()
        if value is not None
    }
    form = editor_of_kind(kind).read_form(MultiDict(sent))

    assert not form.validate()
    assert [text.startswith(said) for text, _ in error_list(form)] == [True]
    for _, href in error_list(form):
        assert href.removeprefix("#") in Drawn(app, kind, form).ids


@pytest.mark.parametrize(
    "said",
    [
        "",
        "choice",
        "choice/9/up",
        "choice/x/remove",
        "nothing/add",
        "choice/0/fly",
        "choice/0/text/add",
        "/",
        "add",
    ],
)
def test_a_button_that_makes_no_sense_changes_nothing(said):
    rows = {"choice": [{"text": "a"}, {"text": "b"}]}

    assert apply_row_action(rows, said, {"choice": {"text": ""}}) == rows


def test_a_group_grows_to_its_limit_alone():
    data: dict = {"choice": []}
    for _ in range(40):
        data = apply_row_action(data, "choice/add", {"choice": {}})

    assert len(data["choice"]) == 30


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_hand_has_written_wrongly_still_opens(app, kind):
    for table in (
        {name: "nonsense" for name in OWN},
        {name: [1, "x", {}] for name in OWN},
        {"scene": [{"choice": 3}]},
    ):
        opened(app, kind, table)


def test_what_a_new_item_says_passes_the_check(app):
    """An order written in the editor alone, as a file and without fault."""
    drawn = opened(app, "order", {})
    sent = {**dict(drawn.fields), "step-0-text": "One", "step-1-text": "Two\r\nlines", "step-2-text": "Three"}
    form = editor_of_kind("order").read_form(MultiDict(sent))
    assert form.validate()
    steps = editor_of_kind("order").to_item(form)["step"]
    assert steps == [
        {"key": "step-1", "text": "One"},
        {"key": "step-2", "text": "Two\nlines"},
        {"key": "step-3", "text": "Three"},
    ]
    text = HEAD.format(key="one", outcome="see", kind="order") + "".join(
        f'[[item.step]]\nkey = "{step["key"]}"\ntext = """{step["text"]}"""\n' for step in steps
    )
    assert len(content_of("order", text)["steps"]) == 3
