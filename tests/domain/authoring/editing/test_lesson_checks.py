"""Checks within a lesson's text: folded and unfolded to the byte, whatever the text around them is."""

from hypothesis import example, given
from hypothesis import strategies as st

from portal.domain.authoring import files
from portal.platform.errors import RuleError
from tests.domain.catalogue.folders import CHECK

OTHER = CHECK.replace('"try"', '"other"')
PIECES = (
    CHECK,
    OTHER,
    CHECK.replace("::: check", ":::check  "),
    CHECK.replace("::: check", "> ::: check"),
    f"- A point\n\n  {CHECK}".replace("\n", "\n  "),
    f"::: details More\n{CHECK}\n:::\n",
    "::: check try\n:::\n",
    "::: check\nkey = [\n:::\n",
    "::: check\n",
    ":::\n",
    "```\n",
    "Read this.\n",
    "\n",
    "<!-- \n",
)
texts = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@given(texts)
@example(CHECK + "\n\n::: check try\n:::\n")
@example("```\n" + CHECK + "```\n" + CHECK)
def test_a_folded_text_unfolds_to_the_byte(text):
    folded = files.fold_checks(text)

    assert files.unfold_checks(folded, text) == text
    assert len(folded) <= len(text)


@given(texts, st.text(max_size=40))
@example("", "\n:::\n")
@example("Read.\n", "::: inset\nopen")
def test_a_check_is_added_changed_and_removed_and_everything_else_stays(text, words):
    table = {"key": files.free_key(text), "kind": "single", "prompt": words.replace("\r", "")}
    before = [check.key for check in files.read_checks(text)]
    try:
        added = files.add_check(text, table)
        changed = files.write_check(added, table["key"], table | {"explanation": "So."})
    except RuleError:  # the text leaves a box open, or the words would
        return

    assert [check.key for check in files.read_checks(changed)] == [*before, table["key"]]
    assert changed.startswith(text.rstrip("\n"))
    assert files.remove_check(changed, table["key"]) == text.rstrip("\n").strip("\n") or text[:1] == "\n"


def test_only_checks_that_are_the_same_in_both_texts_are_folded():
    saved, typed = f"{CHECK}\n{OTHER}", f"{CHECK}\n{OTHER.replace('Which?', 'Who?')}"

    folded = files.fold_checks(typed, saved)

    assert folded.startswith("::: check try\n:::")
    assert "Who?" in folded
    assert files.unfold_checks(folded, saved) == typed
