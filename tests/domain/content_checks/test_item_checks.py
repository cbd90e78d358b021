"""The countable rules of the brief for items: each is broken once, in a copy of a module that keeps all."""

import re

import pytest

from tests.pages.authoring.shipped import (
    Place,
    Texts,
    list_breaches,
    path_containing,
    replace_text,
    texts_in_use,
)

ITEM = r"^\[\[item\]\]"
KEY = "recognise"
MODULE = f"{KEY}/module.toml"
LESSON = f"{KEY}/lessons/a-lorry-at-the-services.md"


@pytest.fixture
def files() -> Texts:
    return texts_in_use()


def bank_paths(files: Texts) -> list[str]:
    return [path for path in sorted(files) if path.startswith(f"{KEY}/items/")]


def change_item(files: Texts, pattern: str, new: str, holding: str = 'kind = "single"') -> Place:
    """A change in the first file with such an item; the place of the item's header."""
    return replace_text(
        files, path_containing(files, f"{KEY}/items/", holding, ".toml"), pattern, new, line_of=ITEM
    )


def breaches_of_prompt(files: Texts, text: str) -> list[str]:
    place = change_item(files, r'^prompt = "(?:[^"\\\n]|\\.)*"', f'prompt = "{text}"')
    breaches = list_breaches(files, KEY)
    assert all(breach.startswith(str(place)) for breach in breaches)
    return breaches


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Which of these is not a sign?", "not"),
        ("Which of these is NOT a sign?", "NOT"),
        ("All are signs except one. Which of them is least useful?", "least"),
        ("What should you never do?", "never"),
        ("Which statement is false?", "false"),
        ("Which of these isn’t a sign?", "n’t"),
        ("Select what you cannot see.", "cannot"),
    ],
)
def test_no_stem_is_negative(files, text, word):
    (breach,) = breaches_of_prompt(files, text)

    assert f"has a negative stem: “{word}”. Ask for what is right, so that nobody misreads it." in breach


@pytest.mark.parametrize(
    "text",
    [
        "You are not sure of his age. What do you do?",
        "Why may a victim not come to the police?",
        "What happens to reports that are not sent?",
        "What do you say to someone who does not answer?",
        "She says: “I did not pay.” What do you ask first?",
        "What is wrong with the change?",
        "Whose phone is it, if nobody has not claimed it?",
    ],
)
def test_what_only_looks_negative_is_left_alone(files, text):
    assert breaches_of_prompt(files, text) == []


def test_a_stem_asks_one_thing(files):
    (breach,) = breaches_of_prompt(files, "Who is it? And where?")

    assert "asks more than one thing. Ask one." in breach


def test_three_to_five_choices(files):
    holding = path_containing(files, f"{KEY}/items/", 'kind = "single"', ".toml")
    wrong = '[[item.choice]]\nkey = "{0}"\ntext = "Wrong way {0}"\nfeedback = "No {0}."\n\n'
    header = files[holding].index("[[item.choice]]")
    extra = "".join(wrong.format(n) for n in ("one", "two"))
    files[holding] = files[holding][:header] + extra + files[holding][header:]

    assert f"{holding}, line 1: " in "".join(list_breaches(files, KEY))
    assert any("has 6 choices. Write 3 to 5." in breach for breach in list_breaches(files, KEY))


def test_three_choices_of_a_check_too(files):
    choices = r"(^::: check\n.*?)^\[\[choice\]\].*?^:::"
    two = (
        '[[choice]]\nkey = "a"\ntext = "This"\nfeedback = "Yes."\ncorrect = true\n\n'
        '[[choice]]\nkey = "b"\ntext = "That"\nfeedback = "No."\n:::'
    )
    place = replace_text(files, LESSON, choices, rf"\1{two}")

    (breach,) = [each for each in list_breaches(files, KEY) if "choices" in each]
    assert breach.startswith(f"{LESSON}, line {place.line + 1}: ")
    assert breach.endswith("has 2 choices. Write 3 to 5.")


@pytest.mark.parametrize(
    "text", ["All of the above", "None of these", "Both of them", "A and B of the above", "Neither"]
)
def test_no_choice_tells_without_knowledge(files, text):
    place = replace_text(
        files,
        path_containing(files, f"{KEY}/items/", 'kind = "single"', ".toml"),
        r'^text = "(?:[^"\\\n]|\\.)*"(?=\nfeedback = "(?:[^"\\\n]|\\.)*"\n\n)',
        f'text = "{text}"',
        line_of=r"^\[\[item.choice\]\]",
    )

    breaches = [
        breach
        for breach in list_breaches(files, KEY)
        if "can be judged without knowledge of the subject" in breach
    ]
    assert [breach.startswith(str(place)) for breach in breaches] == [True]


def test_each_choice_has_feedback_of_its_own(files):
    path = path_containing(files, f"{KEY}/items/", 'kind = "single"', ".toml")
    same = re.findall(r'^feedback = "(?:[^"\\\n]|\\.)*"', files[path], re.M)[0]
    place = replace_text(
        files,
        path,
        rf'(?<={re.escape(same)}\n)(.*?)^feedback = "(?:[^"\\\n]|\\.)*"',
        rf"\1{same}",
        line_of=r"^\[\[item",
    )

    (breach,) = list_breaches(files, KEY)
    assert breach.endswith(
        "Two choices of this item have the same feedback. Say of each why it is right or wrong."
    )
    assert breach.startswith(f"{path}, line ")
    assert int(re.search(r"line (\d+)", breach)[1]) > place.line


@pytest.mark.parametrize(("text", "count"), [("One.", 1), ("One. Two. Three. Four.", 4)])
def test_an_explanation_has_two_or_three_sentences(files, text, count):
    place = change_item(files, r'^explanation = "(?:[^"\\\n]|\\.)*"', f'explanation = "{text}"')

    (breach,) = list_breaches(files, KEY)
    assert breach.startswith(str(place))
    assert breach.endswith(f"is explained in {count} sentences. Write two or three that teach.")


def rewrite_right_choices(files: Texts, new: str) -> None:
    """Rewrite the text of every right choice of items that have one."""
    for path in bank_paths(files):
        files[path] = re.sub(
            r'^text = "((?:[^"\\\n]|\\.)*)"\n(feedback = "(?:[^"\\\n]|\\.)*"\ncorrect = true)',
            rf'text = "{new}"\n\2',
            files[path],
            flags=re.M,
        )


def test_a_right_choice_does_not_stand_out(files):
    place = change_item(
        files,
        r'^text = "(?:[^"\\\n]|\\.)*"(\nfeedback = "(?:[^"\\\n]|\\.)*"\ncorrect = true)',
        rf'text = "{"Something that goes on and on, since " * 3}the author wanted to be quite sure of it"\1',
    )

    breaches = [
        breach for breach in list_breaches(files, KEY) if "gives its right choice away: it has 1" in breach
    ]
    assert [breach.startswith(str(place)) for breach in breaches] == [True]


def test_the_right_choice_is_the_longest_in_a_third_at_most(files):
    rewrite_right_choices(files, r"\1 and some words more")

    assert any(
        re.search(
            r"The right choice is the longest in \d+ of \d+ items. Bring that to a third or less.", breach
        )
        for breach in list_breaches(files, KEY)
    )


def test_right_choices_stand_at_every_position(files):
    choice = r"\[\[item\.choice\]\]\n(?:(?!\[\[)[^\n]*\n?)+"
    for path in bank_paths(files):
        files[path] = re.sub(
            rf"((?:{choice})+)",
            lambda all_: "".join(
                sorted(
                    (part.rstrip() + "\n\n" for part in re.findall(choice, all_[1])),
                    key=lambda p: "correct" not in p,
                )
            ),
            files[path],
        )

    breaches = list_breaches(files, KEY)
    assert any(
        re.match(rf"{MODULE}: Choice 1 is right \d+ times; an even share would be \d+\. Move some\.", breach)
        for breach in breaches
    )
    assert any(
        re.match(rf"{MODULE}: Choice 4 is right \d times; an even share", breach) for breach in breaches
    )


def test_a_third_begin_with_a_case(files):
    for path in bank_paths(files):
        files[path] = re.sub(
            r'^stimulus = ("""(?s:.*?)"""|"(?:[^"\\\n]|\\.)*")\n', "", files[path], flags=re.M
        )

    (breach,) = list_breaches(files, KEY)
    assert re.fullmatch(
        rf"{MODULE}: \d of \d+ items begin with a case. Give a third of them one, under “stimulus”.", breach
    )


def test_right_choices_of_checks_stand_at_more_than_one_position(files):
    for path in [path for path in files if path.startswith(f"{KEY}/lessons/") and path.endswith(".md")]:
        parts = re.split(r"^(?=\[\[choice\]\]|:::$)", files[path], flags=re.M)
        at = [n for n, part in enumerate(parts) if part.startswith("[[choice]]")]
        right = next(n for n in at if "correct = true" in parts[n])
        parts[at[0]], parts[right] = parts[right].rstrip() + "\n\n", parts[at[0]].rstrip() + "\n\n"
        files[path] = "".join(parts)

    assert list_breaches(files, KEY) == [f"{MODULE}: In 5 of 5 checks choice 1 is right. Move some."]


# Scenarios


SCENARIO = f"{KEY}/items/scenario.toml"


def scene_toml(key: str, to: str) -> str:
    choices = "".join(
        f'[[item.scene.choice]]\nkey = "{name}"\ntext = "Go {name}"\nto = "{to}"\nweight = 1\n'
        f'feedback = "{name}."\n\n'
        for name in ("on", "ahead")
    )
    return f'[[item.scene]]\nkey = "{key}"\ntext = "You go on."\n\n{choices}'


@pytest.mark.parametrize("count", [1, 3, 4, 6, 7])
def test_four_to_six_decisions(files, count):
    head = files[SCENARIO].partition("start = ")[0] + 'start = "s1"\n\n'
    scenes = "".join(scene_toml(f"s{n}", f"s{n + 1}") for n in range(1, count + 1))
    end = f'[[item.scene]]\nkey = "s{count + 1}"\ntext = "The end."\ndebrief = "A good officer weighs it."\n'
    files[SCENARIO] = head + scenes + end

    breaches = list_breaches(files, KEY)
    if 4 <= count <= 6:
        assert breaches == []
    else:
        assert breaches == [
            f"{SCENARIO}, line 1: The item “sce-house” has {count} decisions on its longest path."
            " Write 4 to 6."
        ]


def test_every_end_has_a_debrief(files):
    place = replace_text(
        files, SCENARIO, r'\ndebrief = "(?:[^"\\\n]|\\.)*"', "", line_of=r"^\[\[item.scene\]\]"
    )

    (breach,) = list_breaches(files, KEY)
    assert breach.startswith(str(place))
    assert breach.endswith("has no debrief. Say what a good officer considers.")


def test_a_module_has_a_scenario(files):
    replace_text(files, SCENARIO, r'^kind = "scenario"', 'kind = "scenario"\nretired = true')

    assert list_breaches(files, KEY) == [
        f"{MODULE}: There is no branching scenario. Write an item of kind “scenario”."
    ]
