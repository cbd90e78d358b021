"""Whoever knows a module answers every question that its pages can ask, for the full mark."""

from collections import defaultdict
from random import Random

import pytest

from benchmarks.knowledge import Knowledge, UnknownQuestionError
from benchmarks.serving import ROOT
from portal.domain.item_kinds.base import FULL_MARK, Answer


def page_of(app, item, order, answer):
    """The page of a question as a learner meets it, with what the force fills in."""
    kind = item.item.kind
    with app.test_request_context():
        asked = app.jinja_env.get_template(kind.template_path("item")).render(
            shown=kind.build_view(item.content, order, answer),
            prompt=fill(item.prompt_html),
            kind=kind,
            errors={},
            fill=fill,
        )
    return f'<form method="post" action="/assessment">{asked}<button>Save and continue</button></form>'


def fill(html):
    """The force's own words in each slot."""
    return html.replace("{{", "<em>ours ").replace("}}", "</em>")


@pytest.mark.slow
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_every_question_of_every_module_is_answered_right(app):
    knowledge, chance = Knowledge(ROOT / "modules"), Random(3)
    kinds = set()
    for item in knowledge.items:
        kind, content, answer = item.item.kind, item.content, Answer()
        order = chance.sample(kind.shufflable_keys(content), len(kind.shufflable_keys(content)))
        for _ in range(40):
            chosen = knowledge.choose(page_of(app, item, order, answer))
            form = defaultdict(list)
            for name, value in chosen.fields:
                form[name].append(value)
            answer = kind.read_answer(content, order, form)
            assert set(chosen.kept) <= set(answer.choices), item.item.key
            if not answer.repeats_question:
                break
        assert kind.mark_answer(content, answer.choices) == FULL_MARK, item.item.key
        kinds.add(kind.name)
    assert kinds == {"single", "multiple", "order", "match", "scenario", "report"}


@pytest.mark.slow
def test_a_question_of_no_module_is_not_guessed():
    page = (
        '<form><h1>Who is it?</h1><input type="radio" id="choice" name="choice" value="c.1">'
        '<label for="choice">Nobody</label><button>Save and continue</button></form>'
    )
    with pytest.raises(UnknownQuestionError):
        Knowledge(ROOT / "modules").choose(page)
