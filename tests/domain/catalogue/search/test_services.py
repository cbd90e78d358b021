"""What a search finds, for whom, and in which order: the same on both databases."""

from pathlib import Path

import pytest
import time_machine

from portal.demo.force import FORCE_VALUES
from portal.domain.catalogue import services
from portal.domain.catalogue.publishing import current_guide
from portal.domain.catalogue.search import SearchResult, search_content
from portal.domain.learning import services as learning
from portal.domain.learning.queries import module_reading, readable_versions
from portal.platform import clock
from portal.platform.db import stamp, transaction
from tests.domain.catalogue.folders import SVG, lesson, write
from tests.domain.catalogue.search.queries import QUERIES
from tests.factories.people import make_person

MODULES = Path(__file__).resolve().parents[4] / "modules"
GUIDE = """+++
title = "Whom to call"
summary = "At the scene, day and night."
owner = "Learning and development"
review_on = 2027-05-31
acknowledge = true
+++

Begin with life.

## Ambulance first

Ring early. Do not wait. [OIC](term:OIC): [[force.nccu_contact]]

## Then the control room

They help with interpreters under section 2. Zoë’s café is no place to refer anybody.

::: details What else
A harbourmaster may know the boat.
:::
"""
CHECK = """Ring the desk, **always**, at [[force.nccu_contact]] today. Answer at once.

::: figure media/box.svg
A desk with a box.
:::

::: check
key = "who"
kind = "single"
prompt = "Whom do you ring?"
explanation = "The desk answers."

[[choice]]
key = "desk"
text = "The desk"
feedback = "Yes."
correct = true

[[choice]]
key = "lighthouse"
text = "The lighthouse"
feedback = "No, not the lighthouse."
:::
"""
GUIDE_PATH, LESSONS = "/guides/whom-to-call", "/learning/modules/sample/lessons"


def publish(folder: Path, **files: str) -> None:
    with transaction():
        services.publish_folder(write(folder, {"_guides/whom-to-call.md": GUIDE, **files}), at=stamp())


def search(text: str, person: int = 0, **options: bool) -> SearchResult:
    return search_content(text, readable_versions(person), **options)


def addresses(text: str, person: int = 0, **options: bool) -> list[str]:
    return [hit.address for hit in search(text, person, **options).hits]


def excerpt(result: SearchResult) -> str:
    return "".join(f"[{part.words}]" if part.matches else part.words for part in result.hits[0].excerpt)


@pytest.mark.slow
@time_machine.travel("2026-11-25T09:00:00+00:00", tick=True)
def test_what_officers_type_at_three_in_the_morning_leads_to_an_answer_among_the_first_three(database):
    with transaction():
        services.publish_folder(MODULES, at=stamp())
        services.set_force_values(FORCE_VALUES, by=make_person())

    firsts = {text: addresses(text)[:3] for text in QUERIES}
    missed = {
        text: found
        for text, found in firsts.items()
        if not any(address.startswith(QUERIES[text]) for address in found)
    }

    assert all(current_guide(key) for key in ("intelligence-document", "who-to-call"))
    assert len(QUERIES) >= 30
    assert missed == {}
    assert search("refering victm").text == "refering victim"
    for nonsense in ("xqzzy blorf", "football league", "pancake recipe", "aaaaaaaaaaaa"):
        assert (nonsense, addresses(nonsense)) == (nonsense, [])


@pytest.mark.parametrize(
    ("typed", "first", "sentence"),
    [
        ("ambulance", f"{GUIDE_PATH}?place=2#place", "Ring early."),
        ("AMBUL ring", f"{GUIDE_PATH}?place=3#place", "[Ring] early."),
        ("begins life", f"{GUIDE_PATH}?place=1#place", "[Begin] with [life]."),
        ("INTERPRETER", f"{GUIDE_PATH}?place=5#place", "They help with [interpreters] under section 2."),
        ("zoe cafe", f"{GUIDE_PATH}?place=5#place", "[Zoë’s] [café] is no place to refer anybody."),
        ("refering", f"{GUIDE_PATH}?place=5#place", "Zoë’s café is no place to [refer] anybody."),
        ("s.2", f"{GUIDE_PATH}?place=5#place", "They help with interpreters under [section 2]."),
        ("harbourmastr", f"{GUIDE_PATH}?place=6#place", "A [harbourmaster] may know the boat."),
        ("look", f"{LESSONS}/first?place=1#place", "[Look]"),
        ("organised immigraton", "/glossary#term-oic", '[Organised] <[immigration]> & "crime".'),
        ("show module", "/learning/modules/sample", "[Show] what a [module] is."),
        ("do this on one page", "/learning/modules/sample/job-aid", "Do this."),
    ],
)
def test_a_word_in_any_inflection_or_misspelt_leads_to_its_sentence(
    database, tmp_path, typed, first, sentence
):
    publish(tmp_path)

    result = search(typed)

    assert (result.hits[0].address, excerpt(result)) == (first, sentence)


def test_a_misspelt_word_is_corrected_unless_the_search_is_exact(database, tmp_path):
    publish(tmp_path)

    corrected, exact = search("interperter 2"), search("interperter 2", exact=True)

    assert (corrected.text, corrected.corrected, corrected.unknown) == ("interpreters 2", ["interperter"], [])
    assert corrected.total == 1
    assert (exact.text, exact.total, exact.unknown) == ("interperter 2", 0, ["interperter"])
    assert search("section 22").total == 0  # a number is never corrected


def test_a_word_that_no_text_has_is_left_out_but_half_of_the_words_must_be_known(database, tmp_path):
    publish(tmp_path)

    one_of_two, one_of_three = search("ambulance zebra"), search("ambulance zebra giraffe")

    assert (one_of_two.unknown, one_of_two.total, one_of_two.has_all) == (["zebra"], 1, True)
    assert (one_of_three.unknown, one_of_three.total) == (["zebra", "giraffe"], 0)
    assert search("ambulance harbourmaster life look").has_all is False


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "' OR 1=1 --", '"', "zz:*&|!", "NEAR(x", "\x00", "*", "%", "_", "zebra", "é" * 300, "‮‏\u2028",
        "(z+)+$" * 40, "x" * 1_000_000, "\ud83d\ude80".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)  # fmt: skip
def test_no_text_is_an_error(database, tmp_path, typed):
    publish(tmp_path)

    assert search(typed).hits == ()


def test_a_result_shows_what_the_page_does(database, tmp_path):
    files = {"sample/lessons/second.md": lesson(CHECK), "sample/media/box.svg": SVG}
    publish(tmp_path, **files)
    by = make_person()
    before = search("always"), search("answer once")

    with transaction():
        services.set_force_values({"nccu_contact": "desk 9"}, by=by)

    assert search("lighthouse").total == 0  # a wrong choice, which a result would show as if it were taught
    assert [result.total for result in before] == [0, 1]  # a sentence without its setting is left out
    assert excerpt(search("always desk")) == "Ring the [desk], [always], at [desk] 9 today."


def test_everybody_finds_the_version_that_they_read_and_no_other(database, tmp_path):
    publish(tmp_path, **{"sample/lessons/second.md": lesson("Mind the zebras.\n")})
    reader = make_person()
    with transaction():
        learning.start_module(reader, module_reading(reader, "sample"), clock.now())
    publish(tmp_path, **{"sample/lessons/second.md": lesson("Mind the giraffes.\n")})

    assert addresses("zebras", reader) == [f"{LESSONS}/second?place=1#place"]
    assert addresses("giraffes", reader) == []
    assert addresses("zebras") == []
    assert addresses("giraffes") == [f"{LESSONS}/second?place=1#place"]


def test_what_an_old_version_of_a_guide_said_is_found_no_more(database, tmp_path):
    publish(tmp_path)
    publish(tmp_path, **{"_guides/whom-to-call.md": GUIDE.replace("interpreters", "translators")})

    assert addresses("interpreters") == []
    assert len(addresses("translators")) == 1
