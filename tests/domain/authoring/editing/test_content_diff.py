"""A review lists every change and no other, in the terms of lessons and questions."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.authoring.content_diff import Passage, PlaceChange, count_changes, diff_folders
from portal.domain.authoring.texts import WordRuns, diff_words, pair_paragraphs, split_blocks
from tests.domain.catalogue.folders import ITEM, SVG, lesson, sample

WORD = st.sampled_from(
    ["the", "duty", "to", "notify", "remains", ".", "\n", "\n\n", " ", "::: inset\n", ":::\n"]
)
TEXT = st.one_of(st.text(max_size=200), st.lists(WORD, max_size=60).map(" ".join))


def folder(**changes: str | bytes | None) -> dict[str, bytes]:
    """The sample module's files, with these changed; a name has ``__`` for a slash."""
    files = {p.removeprefix("sample/"): c for p, c in sample().items() if p.startswith("sample/")}
    for name, content in changes.items():
        path = next((p for p in files if p.replace("/", "__").split(".")[0] == name), name.replace("__", "/"))
        files.pop(path, None)
        if content is not None:
            files[path] = content
    return {p: c.encode() if isinstance(c, str) else c for p, c in files.items()}


def summaries(changes: list[PlaceChange]) -> list[tuple[str, str]]:
    return [(change.title, passage.summary) for change in changes for passage in change.passages]


def only_passage(changes: list[PlaceChange]) -> Passage:
    assert count_changes(changes) == 1, summaries(changes)
    return changes[0].passages[0]


def runs_text(runs: WordRuns | None) -> str | None:
    return None if runs is None else "".join(run.text for run in runs)


def changed_words(runs: WordRuns | None) -> list[str]:
    return [run.text for run in runs or () if run.changed]


@given(TEXT, TEXT)
def test_the_left_joins_to_the_old_text_and_the_right_to_the_new(old, new):
    left, right = diff_words(old, new)

    assert runs_text(left) == old
    assert runs_text(right) == new
    common = ["".join(run.text for run in side if not run.changed) for side in (left, right)]
    assert common[0] == common[1]


@given(TEXT, TEXT)
def test_paragraphs_hold_both_texts_whole_and_in_order(old, new):
    pairs = pair_paragraphs(old, new)

    assert "".join(pair.old or "" for pair in pairs) == old
    assert "".join(pair.new or "" for pair in pairs) == new


@given(TEXT)
def test_equal_texts_give_nothing(same):
    assert not any(run.changed for side in diff_words(same, same) for run in side)
    assert all(pair.is_unchanged for pair in pair_paragraphs(same, same))
    assert "".join(split_blocks(same)) == same


@given(st.lists(st.sampled_from(sorted(folder())), max_size=3), TEXT)
def test_folders_that_differ_always_show_something(paths, content):
    old = folder()
    new = {**old, **{path: content.encode(errors="ignore") for path in paths}}

    assert bool(diff_folders(old, new)) is (old != new)
    assert bool(diff_folders(new, old)) is (old != new)


def test_the_words_that_changed_are_marked_and_no_others():
    old = "An adult must agree to a referral to the NRM. If not, you can make a report."
    new = "An adult must give informed consent to a referral to the NRM. If not, you still make a report."

    left, right = diff_words(old, new)

    assert changed_words(left) == ["agree", "can"]
    assert changed_words(right) == ["give informed consent", "still"]


def test_a_sentence_that_was_added_is_marked_with_its_own_full_stop():
    left, right = diff_words("One is here. Two is there.", "One is here. Add this. Two is there.")
    removed, _ = diff_words("One is here. Add this. Two is there.", "One is here. Two is there.")

    assert changed_words(left) == []
    assert changed_words(right) == [" Add this."]
    assert changed_words(removed) == [" Add this."]


def test_a_changed_paragraph_is_named_by_its_lesson_and_heading():
    new = folder(lessons__first=sample()["sample/lessons/first.md"].replace("Read this.", "Read that."))

    changes = diff_folders(folder(), new)

    assert summaries(changes) == [("Lesson 1, A lesson", "Text changed in “Look”")]
    assert changes[0].place == "lesson:first"
    assert changed_words(only_passage(changes).old) == ["this"]
    assert changed_words(only_passage(changes).new) == ["that"]


def test_what_is_added_was_not_there_and_says_where():
    longer = lesson("Read this.\n\nThe helpline is 08000 121 700.\n")

    passage = only_passage(diff_folders(folder(), folder(lessons__second=longer)))

    assert passage.summary == "Text added at the end"
    assert passage.old is None
    assert runs_text(passage.new) == "The helpline is 08000 121 700."


def test_a_box_and_a_check_are_called_what_an_author_calls_them():
    body = "::: warning\nStop.\n:::\n\n" + sample()["sample/lessons/first.md"].partition("\n\n")[2]
    old = folder(lessons__first=lesson(body))
    new = folder(lessons__first=lesson(body.replace("Stop.", "Wait.").replace('"Yes."', '"Right."')))

    assert summaries(diff_folders(old, new)) == [
        ("Lesson 1, A lesson", "Warning changed before the first heading"),
        ("Lesson 1, A lesson", "Feedback changed for choice 1, “This”, in the check at the end"),
    ]


def test_what_changed_in_a_part_for_some_roles_is_read_inside_it():
    body = "::: for custody: On arrival\nAsk about the journey.\n:::\n"
    old, new = (folder(lessons__first=lesson(text)) for text in (body, body.replace("journey", "debt")))

    passage = only_passage(diff_folders(old, new))

    assert passage.summary == "Part for changed at the end"
    assert runs_text(passage.new) == "custody: On arrival\nAsk about the debt."
    assert changed_words(passage.new) == ["debt"]


def test_a_question_s_fields_and_choices_have_their_own_names():
    first = ITEM.format(key="one", outcome="see")
    second = ITEM.format(key="two", outcome="say")
    changed = first.replace('"No."', '"Not quite."').replace("correct = true\n", "", 1) + "correct = true\n"
    third = '\n[[item.choice]]\nkey = "c"\ntext = "Other"\nfeedback = "No."\n'

    changes = diff_folders(folder(), folder(items__bank=changed + third + second))

    assert summaries(changes) == [
        ("Question “One”", "Right choice removed for choice 1, “This”"),
        ("Question “One”", "Feedback changed for choice 2, “That”"),
        ("Question “One”", "Right choice added for choice 2, “That”"),
        ("Question “One”", "Choice 3 added"),
    ]
    assert runs_text(changes[0].passages[3].new) == "Other\nFeedback: No."


def test_new_and_removed_questions():
    first = ITEM.format(key="one", outcome="see")
    changes = diff_folders(folder(), folder(items__bank=first + ITEM.format(key="nail-bar", outcome="say")))

    assert summaries(changes) == [
        ("Question “Nail bar”", "New question"),
        ("Question “Two”", "Question removed"),
    ]
    assert "Outcome: Say a thing" in (runs_text(changes[0].passages[0].new) or "")


def test_a_moved_lesson_is_moved_and_not_rewritten():
    module = sample()["sample/module.toml"].replace('"first", "second"', '"second", "first"')

    passage = only_passage(diff_folders(folder(), folder(module=module)))

    assert passage.summary == "Moved"
    assert (runs_text(passage.old), runs_text(passage.new)) in {
        ("Lesson 2", "Lesson 1"),
        ("Lesson 1", "Lesson 2"),
    }


def test_draw_rules_and_details_have_labels():
    module = sample()["sample/module.toml"].replace("draw = 2", "draw = 4").replace("0.8", "0.75")

    assert summaries(diff_folders(folder(), folder(module=module))) == [
        ("Module details", "Pass mark changed"),
        ("Module details", "Questions in an assessment changed"),
    ]


def test_media_that_were_replaced_are_named():
    passage = only_passage(diff_folders(folder(), folder(media__box=SVG.replace("50", "60"))))

    assert passage.summary == "Replaced: box.svg"
    assert passage.path == "media/box.svg"


def test_a_note_that_no_learner_reads_is_not_hidden_from_the_publisher():
    module = f"# A note.\n{sample()['sample/module.toml']}"

    changes = diff_folders(folder(), folder(module=module))

    assert changes[0].place == "notes"
    assert "# A note." in (runs_text(changes[0].passages[0].new) or "")


def test_a_new_module_is_new_throughout():
    changes = diff_folders({}, folder())

    assert ("Lesson 2, A lesson", "New lesson") in summaries(changes)
    assert all(passage.old is None for change in changes for passage in change.passages)


def test_links_and_emphasis_are_read_as_words_unless_it_is_they_that_changed():
    old = "You **may** call [the desk](lesson:second) now."
    for new, left, right in (
        (
            "You **may** ring [the desk](lesson:second) now.",
            "You may call the desk now.",
            "You may ring the desk now.",
        ),
        (
            "You **may** call [the desk](lesson:first) now.",
            old,
            "You **may** call [the desk](lesson:first) now.",
        ),
        ("You may call [the desk](lesson:second) now.", old, "You may call [the desk](lesson:second) now."),
    ):
        passage = only_passage(
            diff_folders(folder(lessons__first=lesson(old)), folder(lessons__first=lesson(new)))
        )
        assert (runs_text(passage.old), runs_text(passage.new)) == (left, right)


def test_the_space_around_changed_words_is_not_marked():
    _, right = diff_words("What must you do?", "What must you do now?")

    assert [run.spaced_parts for run in right if run.changed] == [(" ", "now", "")]


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["a\n\n", "a ", "::: inset\n", "::: inset\nx\n:::\n\n", ". "])
def test_a_text_of_one_thing_over_and_over_does_not_either(piece):
    old, new = piece * (60_000 // len(piece)), "b " + piece * (50_000 // len(piece)) + " c"
    begun = time.process_time()

    pairs = pair_paragraphs(old, new)
    runs = [diff_words(pair.old or "", pair.new or "") for pair in pairs if not pair.is_unchanged]

    assert "".join(pair.new or "" for pair in pairs) == new
    assert runs
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_a_very_long_text_does_not_keep_the_page_waiting(size):
    old, new = ("one two three. " * (size // 15), "four five six. " * (size // 15))
    begun = time.process_time()

    left, right = diff_words(old, new)

    assert (runs_text(left), runs_text(right)) == (old, new)
    assert time.process_time() - begun < 10
