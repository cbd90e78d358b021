"""Every broken shape of an item is refused with its file, its line and what to write instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalogue import services
from portal.domain.item_kinds import kinds_by_name
from portal.platform.formats.toml_tables import Faults, Source
from tests.domain.catalogue.folders import ITEM, lesson, write
from tests.domain.catalogue.kinds_written import BODIES, Plain, check, item


def changed_item(kind: str, old: str, new: str, times: int = 1) -> tuple[str, str]:
    text = item(kind)
    assert old in text, old
    return kind, text.replace(old, new, times)


def list_faults(folder, text: str) -> list[str]:
    files = {"sample/items/bank.toml": text + "\n" + ITEM.format(key="two", outcome="say")}
    return services.check_folder(write(folder, files)).faults.sentences()


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_a_whole_item_of_each_kind_is_taken(tmp_path, kind):
    assert list_faults(tmp_path, item(kind)) == []


KEPT = ("scenario", "report")  # kinds whose answers have to be saved


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_a_check_in_a_lesson_is_of_a_kind_whose_answers_need_not_be_kept(tmp_path, kind):
    files = {"sample/lessons/first.md": lesson(check(kind))}

    found = services.check_folder(write(tmp_path, files)).faults.sentences()

    assert found == [
        f"sample/lessons/first.md, line 8: A check cannot be of kind “{kind}”, because its answers are"
        " saved. Use single, multiple, order or match."
    ] * (kind in KEPT)


ORDER = [
    (
        changed_item("order", '[[item.step]]\nkey = "wait"\ntext = "Wait for the ambulance"\n', ""),
        1,
        "has 2 steps. Write 3",
    ),
    (
        changed_item("order", 'key = "call"', 'key = "stop"'),
        14,
        "“stop” is used twice in this item. Give each step",
    ),
    (changed_item("order", 'key = "call"', 'key = "a b"'), 14, "“a b” is not a key."),
    (
        changed_item("order", "Wait for the ambulance", "Call the control room"),
        19,
        "Two steps have the same text",
    ),
    (changed_item("order", 'text = "Call', 'words = "Call'), 13, "“text” is missing."),
    (changed_item("order", 'text = "Call', 'texts = "Call'), 15, "“texts” is not a known key here."),
    (changed_item("order", "[[item.step]]", "[[item.steps]]", 9), 1, "“[[item.step]]” is missing."),
    (changed_item("order", "*lorry*", "[x](lesson:none)"), 9, "There is no lesson “none” in this module."),
]
MATCH = [
    (
        changed_item("match", 'key = "safety"', 'key = "intel"'),
        16,
        "“intel” is used twice in this item. Give each pair",
    ),
    (
        changed_item("match", "A child at risk", "An intelligence report"),
        17,
        "Two pairs have the same left side.",
    ),
    (
        changed_item("match", '["Nobody"]', '["The NCCU"]'),
        8,
        "“The NCCU” belongs to a pair. Take it out of “extra_right”.",
    ),
    (changed_item("match", '["Nobody"]', '"Nobody"'), 8, "“extra_right” needs a list of texts"),
    (changed_item("match", 'right = "Children', 'write = "Children'), 15, "“right” is missing."),
    (changed_item("match", "[[item.pair]]", "[[item.pear]]", 9), 1, "“[[item.pair]]” is missing."),
    (
        (
            "match",
            item("match").split("[[item.pair]]")[0] + '[[item.pair]]\nkey = "a"\nleft = "b"\nright = "c"\n',
        ),
        1,
        "has 1 pairs. Write 2 or more",
    ),
    (
        (
            "match",
            item("match").replace('extra_right = ["Nobody"]', "").replace("Children's services", "The NCCU"),
        ),
        1,
        "everything belongs to one thing. Write a second right side.",
    ),
]
SCENARIO = [
    (changed_item("scenario", 'start = "road"\n', ""), 1, "“start” is missing."),
    (
        changed_item("scenario", 'start = "road"', 'start = "rode"'),
        8,
        "There is no scene “rode”. Begin with one",
    ),
    (changed_item("scenario", 'start = "road"', 'start = "safe"'), 65, "The first scene offers no choice."),
    (
        changed_item("scenario", 'to = "voices"', 'to = "noises"'),
        17,
        "There is no scene “noises”. Lead to one",
    ),
    (changed_item("scenario", 'to = "voices"\n', ""), 14, "“to” is missing."),
    (changed_item("scenario", 'key = "rush"', 'key = "voices"'), 48, "“voices” is used twice in this item."),
    (changed_item("scenario", 'key = "open"', 'key = "listen"'), 22, "“listen” is used twice in this scene."),
    (changed_item("scenario", "weight = 0.4", "weight = 1.4"), 25, "“weight” needs a number from 0 to 1"),
    (changed_item("scenario", "weight = 0.4", "weight = -0.1"), 25, "“weight” needs a number from 0 to 1"),
    (changed_item("scenario", "weight = 0.4", "weight = 0.12345"), 25, "“weight” needs a number from 0 to 1"),
    (changed_item("scenario", "weight = 0.4\n", ""), 21, "“weight” is missing."),
    (
        changed_item("scenario", 'feedback = "Nobody is there to help you."\n', ""),
        21,
        "“feedback” is missing.",
    ),
    (changed_item("scenario", 'to = "rush"', 'to = "voices"'), 47, "No choice leads to the scene “rush”."),
    (changed_item("scenario", 'to = "lost"', 'to = "road"', 9), 10, "in a circle: road → voices → road."),
    (changed_item("scenario", 'to = "lost"', 'to = "voices"'), 28, "in a circle: voices → voices."),
    (
        changed_item("scenario", 'weight = 0.5\nfeedback = "You', 'wait = 0.5\nfeedback = "You'),
        55,
        "“wait” is not a known key",
    ),
    (
        changed_item("scenario", 'to = "safe"\nweight = 0.5', 'to = "lost"\nweight = 0.5'),
        1,
        "Only one path of the scenario “one” leads to its best end, “safe”.",
    ),
    (
        (
            "scenario",
            item("scenario").replace("weight = 1", "weight = 0").replace("weight = 0.", "weight = 0 # "),
        ),
        1,
        "No choice of the scenario “one” has a weight above 0.",
    ),
    (changed_item("scenario", "**knocks**", "[[force.none]]"), 10, "“[[force.none]]” is not in _force.toml."),
]
PARTS = item("report").split("[[item.part]]")
WORDS_ALONE = f"{PARTS[0]}[[item.part]]{PARTS[3]}"
REPORT = [
    (changed_item("report", "incident =", "accident ="), 1, "“incident” is missing."),
    (
        changed_item("report", 'kind = "text"', 'kind = "words"'),
        45,
        "“words” is not a kind of part. Use choice or text.",
    ),
    (
        changed_item("report", 'key = "handling"', 'key = "source"'),
        27,
        "“source” is used twice in this item.",
    ),
    (
        changed_item("report", "correct = true\n", ""),
        10,
        "The part “source” has 0 correct choices. Mark exactly one",
    ),
    (changed_item("report", 'model = "At', 'modell = "At'), 42, "“model” is missing."),
    (changed_item("report", '["The time", "Who said it"]', "[]"), 47, "Name at least one thing to look for."),
    (changed_item("report", 'checklist = ["The time", "Who said it"]\n', ""), 42, "“checklist” is missing."),
    (
        changed_item("report", 'label = "Handling"', 'model = "x"\nlabel = "Handling"'),
        28,
        "“model” is not a known key here.",
    ),
    (("report", WORDS_ALONE), 1, "The report “one” has no part of kind “choice”"),
]


@pytest.mark.parametrize(
    ("broken", "line", "said"),
    [*ORDER, *MATCH, *SCENARIO, *REPORT],
    ids=lambda value: (
        value if isinstance(value, str) else value[0] if isinstance(value, tuple) else str(value)
    ),
)
def test_a_broken_item_is_refused_at_its_line(tmp_path, broken, line, said):
    found = list_faults(tmp_path, broken[1])

    place = f"sample/items/bank.toml, line {line}: "
    assert any(sentence.startswith(place) and said in sentence for sentence in found), found


@pytest.mark.parametrize("kind", sorted(BODIES))
@given(data=st.data())
def test_whatever_is_broken_is_told_and_never_stops_the_check(kind, data):
    """Lines are lost, doubled or swapped; what is read is still rendered, as the desk's preview does it."""
    lines = item(kind).split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        act = data.draw(st.sampled_from(("lose", "double", "swap")))
        if act == "swap":
            lines[at], lines[other] = lines[other], lines[at]
        else:
            lines[at : at + 1] = [] if act == "lose" else [lines[at]] * 2
    faults, known = Faults(), kinds_by_name()[kind]
    root = Source("\n".join(lines), "bank.toml", faults).root()
    for table in root.tables("item") if root else []:
        content = known.render_content(known.read_content(table, "one", "item."), Plain())
        if not len(faults):
            assert known.mark_answer(content, known.best_choices(content)) == 1

    for fault in faults.listed():
        assert fault.line is not None
        assert 1 <= fault.line <= len(lines) + 1
        assert fault.reason[-1] in ".”"
