"""A sentence that needs a detail of the force is left out until the force has set it."""

import pytest

from portal.domain.catalogue.lesson_html import leave_out_unset, name_unset

LABELS = {"desk": "How to reach the desk"}
DESK = "{{force:desk}}"
CASES = {
    "a sentence of a paragraph": (
        f"<p>First. Ring {DESK}, at once. (Then write.)</p>",
        "<p>First. (Then write.)</p>",
    ),
    "the last sentence": (f"<p>Do this. The desk: {DESK}</p>", "<p>Do this.</p>"),
    "an abbreviation": (f"<p>Ring a desk, e.g. {DESK}. Then write.</p>", "<p>Then write.</p>"),
    "a number in an Act": (f"<p>See s.51 of the Act. Ring {DESK}.</p>", "<p>See s.51 of the Act.</p>"),
    "bold words": (
        f"<p><strong>Call. Ring {DESK}.</strong> <em>Then</em> write.</p>",
        "<p><strong>Call. </strong><em>Then</em> write.</p>",
    ),
    "a line": (f"<p>Call:<br>the desk, {DESK}<br>the van</p>", "<p>Call:<br>the van</p>"),
    "a paragraph": (f"<p>Ring {DESK}.</p>\n<p>Then write.</p>", "\n<p>Then write.</p>"),
    "an item": (f"<ol><li>Ring {DESK}</li><li>Write</li></ol>", "<ol><li>Write</li></ol>"),
    "an item with a list below": (
        f"<ul><li>Ring {DESK}<ul><li>Say who</li></ul></li></ul>",
        "<ul><li><ul><li>Say who</li></ul></li></ul>",
    ),
    "a list and its lead-in": (
        f"<p>It is late. Call these:</p><ul><li>{DESK}</li></ul><p>End.</p>",
        "<p>It is late.</p><p>End.</p>",
    ),
    "a heading with nothing below": (
        f"<h2>Call</h2><p>{DESK}</p><h2>Write</h2><p>Write it.</p>",
        "<h2>Write</h2><p>Write it.</p>",
    ),
    "a row": (
        f"<table><tbody><tr><td>A child</td><td>{DESK}</td></tr>"
        "<tr><td>A van</td><td>999</td></tr></tbody></table>",
        "<table><tbody><tr><td>A van</td><td>999</td></tr></tbody></table>",
    ),
    "a cell keeps its label": (
        f"<table><tbody><tr><td>A child</td><td>The desk: {DESK}</td></tr></tbody></table>",
        "<table><tbody><tr><td>A child</td><td>The desk</td></tr></tbody></table>",
    ),
    "a table": (
        f'<div class="s"><table><thead><tr><th>Who</th></tr></thead>'
        f"<tbody><tr><td>{DESK}</td></tr></tbody></table></div><p>End.</p>",
        "<p>End.</p>",
    ),
    "folded text": (
        f"<details><summary>Who</summary><div><p>{DESK}</p></div></details><p>End.</p>",
        "<p>End.</p>",
    ),
    "a heading names the setting": (
        f"<h2>Ring {DESK}</h2><p>Now.</p>",
        "<h2>Ring [How to reach the desk]</h2><p>Now.</p>",
    ),
    "a choice names the setting": (f"Ring {DESK}", "Ring [How to reach the desk]"),
    "other slots stay": (f"<p>{{{{force:van}}}} <br> {{{{term:x}}}}. Ring {DESK}.</p>",
                         "<p>{{force:van}} <br> {{term:x}}.</p>"),
}  # fmt: skip


@pytest.mark.parametrize(("html", "shorter"), CASES.values(), ids=CASES)
def test_a_sentence_without_its_setting_goes_with_what_is_empty_then(html, shorter):
    assert leave_out_unset(html, LABELS) == shorter


def test_a_text_with_all_settings_stays_as_it_is():
    html = "<p>Ring {{force:van}}. <b>x</b></p></p>"

    assert leave_out_unset(html, LABELS) == html


def test_an_author_sees_the_name_of_the_setting():
    assert name_unset(f"<p>Ring {DESK} or {{{{force:van}}}}.</p>", LABELS) == (
        "<p>Ring [How to reach the desk] or {{force:van}}.</p>"
    )
