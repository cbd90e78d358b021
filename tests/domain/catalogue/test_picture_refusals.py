"""Every broken shape of a picture with places is refused with its line and what to write instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalogue import services
from portal.domain.item_kinds import case_kinds_by_name
from portal.platform.formats.toml_tables import Faults, Source
from tests.domain.catalogue.folders import ITEM, write
from tests.domain.catalogue.pictures_written import FILES, PICTURE, Drawn


def list_faults(folder, **changes: str | None) -> list[str]:
    files = {**FILES, **{f"sample/{path}": content for path, content in changes.items()}}
    return services.check_folder(write(folder, files)).faults.sentences()


def test_a_whole_picture_is_taken(tmp_path):
    assert list_faults(tmp_path) == []


BROKEN = {
    "label": ('label = "The bin"\n', "", 20, "“label” is missing."),
    "key": ('key = "bin"', 'key = "gate"', 21, "The key “gate” is used twice in this picture."),
    "name": ('label = "The bin"', 'label = "The gate"', 22, "Two places are called “The gate”."),
    "outside": ("[400, 20", "[560, 20", 32, "“The door” lies outside the drawing, which is 600 wide and 300"),
    "below": (
        "[200, 10, 60, 60]",
        "[200, 360, 60, 60]",
        33,
        "“The door” lies outside the drawing, which is 300",
    ),
    "over": ("[400, 20", "[250, 20", 32, "“The door” and “The bin” overlap. Move one of them."),
    "small": ("[10, 10, 60, 60]", "[10, 10, 60, 20]", 16, "“The gate” is too small for a finger. Make it 25"),
    "numbers": ("[20, 20, 100, 60]", "[20, 20, 100]", 15, "“at” needs 4 whole numbers, such as [10, 11,"),
    "negative": ("[20, 20, 100, 60]", "[-20, 20, 100, 60]", 15, "“at” needs 4 whole numbers"),
    "none": ("matters = true\n", "", 11, "No place of the picture “first” matters."),
    "all": ('feedback = "Bins', 'matters = true\nfeedback = "Bins', 11, "Every place of the picture “first”"),
    "flag": ("matters = true", 'matters = "yes"', 17, "“matters” needs true or false."),
    "file": ("yard.svg", "lane.svg", 8, "There is no media/lane.svg in the module's folder."),
    "narrow": (
        "narrow = [100, 10, 60, 60]\n",
        "",
        20,
        "Say under “narrow” where “The bin” is in the drawing",
    ),
    "unknown": (
        'text = "It is full."',
        'text = "It is full."\ncolour = "red"',
        24,
        "“colour” is not a known",
    ),
    "kind": (
        'kind = "picture"',
        'kind = "photo"',
        4,
        "“photo” is not a kind of case. Use scenario, report, p",
    ),
}


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_a_broken_picture_is_refused_at_its_line(tmp_path, case):
    old, new, line, reason = BROKEN[case]
    assert old in PICTURE
    times = -1 if case == "none" else 1

    found = list_faults(tmp_path, **{"lessons/first.toml": PICTURE.replace(old, new, times)})

    place = f"sample/lessons/first.toml, line {line}: {reason}"
    assert any(sentence.startswith(place) for sentence in found), found


def test_three_to_twelve_places(tmp_path):
    place = (
        '\n[[place]]\nkey = "p{0}"\nlabel = "P{0}"\ntext = "It."\nat = [{1}, {2}, 30, 30]\nfeedback = "So."\n'
    )
    places = "".join(place.format(n, 30 * n, 250) for n in range(10)).replace(
        "feedback", "narrow = [0, {}, 30, 30]\nfeedback"
    )
    few = PICTURE.rpartition("\n[[place]]")[0]

    found = list_faults(tmp_path, **{"lessons/first.toml": few})
    assert any("has 2 places. Mark 3 to 12." in sentence for sentence in found)
    found = list_faults(tmp_path, **{"lessons/first.toml": PICTURE + places.replace("{}", "100")})
    assert any("has 13 places. Mark 3 to 12." in sentence for sentence in found)


def test_without_a_drawing_for_phones_there_is_no_place_in_it(tmp_path):
    found = list_faults(tmp_path, **{"media/yard.narrow.svg": None})

    assert len(found) == 3
    assert all("There is no drawing for phones. Take “narrow” out" in sentence for sentence in found)


def test_a_photograph_has_no_places(tmp_path):
    picture = {"lessons/first.toml": PICTURE.replace("yard.svg", "yard.png")}
    found = list_faults(tmp_path, **picture, **{"media/yard.png": "\x89PNG"})
    assert any("“media/yard.png”" in s or "media/yard.png" in s for s in found)


def test_no_item_of_the_bank_and_no_check_is_one(tmp_path):
    bank = ITEM.format(key="one", outcome="see").replace('"single"', '"picture"')
    (fault, *_) = list_faults(tmp_path, **{"items/bank.toml": bank + ITEM.format(key="two", outcome="say")})

    assert "“picture” is not a kind of item. Use single, multiple" in fault


@given(data=st.data())
def test_whatever_is_broken_is_told_and_never_stops_the_check(data):
    """Lines are lost, doubled or swapped; what is read is still rendered, as the desk's preview does it."""
    lines = PICTURE.split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        act = data.draw(st.sampled_from(("lose", "double", "swap")))
        if act == "swap":
            lines[at], lines[other] = lines[other], lines[at]
        else:
            lines[at : at + 1] = [] if act == "lose" else [lines[at]] * 2
    faults, kind, renderer = Faults(), case_kinds_by_name()["picture"], Drawn()
    root = Source("\n".join(lines), "first.toml", faults).root()
    if root is None:
        return
    content = kind.render_content(kind.read_content(root, "first", ""), renderer)
    if not len(faults) and not len(renderer.faults):
        assert kind.mark_answer(content, kind.best_choices(content)) == 1
    for fault in [*faults.listed(), *renderer.faults.listed()]:
        assert fault.line is not None
        assert 1 <= fault.line <= len(lines) + 1
        assert fault.reason[-1] in ".”"
