"""Learning as the modules mean it: by keyboard, after a fail, along other ways, on paper and on a phone."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from portal.domain.item_kinds import kinds_by_name
from tests.journeys import keyboard
from tests.journeys.answering import TEXT, Fields, fill_in, forms, response
from tests.journeys.walking import (
    NEXT,
    answer_by_forms,
    answers,
    ask,
    attempt_of,
    follow,
    go,
    h1,
    hold_to_account,
    press,
    questions,
    reach_assessment,
    send,
    sign_in,
    token_in,
    visitor,
)
from tests.running import ROOT, Server, command, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
NARROW: dict[str, Any] = {"width": 320}
NO_SCRIPTS: dict[str, Any] = {"width": 320, "java_script_enabled": False}


@pytest.mark.parametrize(
    ("slug", "options"),
    [
        ("respond", NO_SCRIPTS),
        pytest.param("recognise", {}, marks=pytest.mark.sweep),
        pytest.param("protect", NARROW, marks=pytest.mark.sweep),
        pytest.param("report", NARROW, marks=pytest.mark.sweep),
    ],
)
def test_each_module_is_passed_with_the_keyboard_alone(
    browser: Browser, shared_server: Server, slug: str, options: dict[str, Any]
) -> None:
    with visitor(browser, shared_server, **options) as tab:
        sign_in(tab, "D1001")
        tab.goto(f"/learning/modules/{slug}")
        keyboard.press_enter(tab, "main a[href*='/lessons/']")
        read = 0
        while "/lessons/" in tab.url:
            read += 1
            assert f"Lesson {read} of" in tab.inner_text(".portal-heading__caption")
            assert f"{read - 1} of" in tab.inner_text(".portal-progress")
            assert "left, with the assessment" in tab.inner_text(".portal-progress")
            while tab.locator(keyboard.CASE_FORM).count():
                keyboard.take_case_step(tab)
            finished = tab.locator("main a.govuk-button").count()
            keyboard.press_enter(tab, "main a.govuk-button" if finished else "main form button.govuk-button")
        assert 8 <= read <= 15
        keyboard.press_enter(tab, "main form button.govuk-button")
        for number, sent in answers(shared_server.instance, attempt_of(tab), right=True):
            for fields in sent:
                assert tab.url.endswith(f"/items/{number}"), tab.url
                keyboard.fill_in(tab, fields)
                keyboard.send(tab)
        assert h1(tab) == "Check your answers"
        keyboard.send(tab)
        assert h1(tab) == "You passed"
        hold_to_account(tab)


@pytest.fixture(scope="module")
def copies(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The server with modules nobody has begun: asking little, with one attempt, and asking whole banks."""
    folder = Path(shutil.copytree(ROOT / "modules", tmp_path_factory.mktemp("copies") / "modules"))
    for slug, whole in (("recognise", False), ("respond", False), ("protect", True), ("report", True)):
        copy = Path(shutil.move(folder / slug, folder / f"second-{slug}"))
        held = (copy / "module.toml").read_text().replace(f'key = "{slug}"', f'key = "second-{slug}"', 1)
        if slug == "recognise":  # so few that one attempt leaves items of each of its seven outcomes
            held = held.replace("draw = 12", "draw = 8")
        if slug == "respond":
            held = held.replace("attempts = 0", "attempts = 1")
        if whole:
            bank = "".join(path.read_text() for path in (copy / "items").glob("*.toml"))
            count = bank.count("[[item]]") - bank.count("retired = true")
            held = held.replace("draw = 12", f"draw = {count}")
        (copy / "module.toml").write_text(held)
        done = command(settings(shared_server.instance), "modules", "publish", str(copy))
        assert done.returncode == 0, done.stderr
    return shared_server


def asked(server: Server, attempt_id: str) -> set[str]:
    """The prompts and contents of an attempt, as what tells one question from another."""
    return {str(question.content) for question in questions(server.instance, attempt_id)}


def finish_by_forms(tab: Tab, server: Server, *, right: bool) -> None:
    """Answer and submit the attempt that is open; then its outcome is on the page."""
    attempt, token = attempt_of(tab), token_in(tab.content())
    answer_by_forms(tab.context, server.instance, attempt, token, right=right)
    tab.goto(f"/assessment/{attempt}/check")
    press(tab, "Submit answers")


@pytest.mark.parametrize(
    ("person", "options"), [("D2002", NARROW), pytest.param("D3002", NO_SCRIPTS, marks=pytest.mark.sweep)]
)
def test_fail_plan_other_items_pass(
    browser: Browser, copies: Server, person: str, options: dict[str, Any]
) -> None:
    with visitor(browser, copies, **options) as tab:
        sign_in(tab, person)
        tab.goto(f"/assessment/{reach_assessment(tab.context, copies.instance, 'second-recognise')}")
        first = asked(copies, attempt_of(tab))
        finish_by_forms(tab, copies, right=False)
        assert h1(tab) == "You did not pass"
        plan = tab.url
        hold_to_account(tab)
        tab.goto("/learning/modules/second-recognise")
        hold_to_account(tab)
        follow(tab, "See which lessons to go over again")
        assert tab.url == plan
        go(tab, "main li a[href*='/lessons/']")
        assert "Lesson" in tab.inner_text(".portal-heading__caption")
        tab.goto(plan)
        press(tab, "Try again")
        assert first.isdisjoint(asked(copies, attempt_of(tab)))
        finish_by_forms(tab, copies, right=True)
        assert h1(tab) == "You passed"


def test_a_manager_opens_one_more_attempt(browser: Browser, copies: Server) -> None:
    with visitor(browser, copies, 320) as tab, visitor(browser, copies, **NO_SCRIPTS) as manager:
        sign_in(tab, "D1001")
        tab.goto(f"/assessment/{reach_assessment(tab.context, copies.instance, 'second-respond')}")
        finish_by_forms(tab, copies, right=False)
        assert "You have used every attempt" in tab.inner_text("main")
        sign_in(manager, "D2001")
        manager.goto("/people/D1001")
        follow(manager, "Open one more attempt")
        hold_to_account(manager)
        with visitor(browser, copies, 320) as checked:  # the checker needs scripts
            sign_in(checked, "D2001")
            checked.goto(manager.url)
            hold_to_account(checked)
            press(checked, "Open one more attempt")
            assert checked.title().startswith("Error: ")
            hold_to_account(checked)
        manager.check("input[name=module]")
        manager.check("input[name=reason][value=supported]")
        press(manager, "Open one more attempt")
        assert "One more attempt at Respond is open" in manager.inner_text("main")
        tab.reload()
        assert "One more attempt was opened for you on" in tab.inner_text("main")
        press(tab, "Try again")
        finish_by_forms(tab, copies, right=True)
        assert h1(tab) == "You passed"


def test_an_author_opens_one_by_staff_number_and_sees_nobody(browser: Browser, copies: Server) -> None:
    with visitor(browser, copies) as tab, visitor(browser, copies, **NO_SCRIPTS) as author:
        sign_in(tab, "D9001")
        tab.goto(f"/assessment/{reach_assessment(tab.context, copies.instance, 'second-respond')}")
        finish_by_forms(tab, copies, right=False)
        sign_in(author, "D3001")
        author.goto("/authoring/second-respond")
        follow(author, "Open one more attempt")
        hold_to_account(author)
        for number, said in (("D9001", "was opened today for D9001"), ("D0000", "No attempt at Respond was")):
            author.fill("#staff_number", number)
            author.check("input[name=reason][value=disturbed]")
            press(author, "Open one more attempt")
            assert said in author.inner_text("main")
            hold_to_account(author)
        tab.reload()
        assert "One more attempt was opened for you on" in tab.inner_text("main")


def ways(content: Any) -> list[list[str]]:
    """The two ways through a scenario that earn the whole mark and share the fewest steps."""
    scenes = {scene["key"]: scene for scene in content["scenes"]}
    found: list[list[str]] = []

    def follow_on(at: str, way: list[str]) -> None:
        if not scenes[at]["choices"]:
            found.append(way)
        for choice in scenes[at]["choices"]:
            follow_on(choice["to"], [*way, f"{at}/{choice['key']}"])

    follow_on(content["start"], [])
    good = [way for way in found if kinds_by_name()["scenario"].mark_answer(content, way) == 1]
    pairs = [[one, other] for one in good for other in good]
    first, second = min(pairs, key=lambda pair: len(set(pair[0]) & set(pair[1])))
    assert len(set(second) - set(first)) >= 2
    return [first, second]


def take_all_but(tab: Tab, server: Server, slug: str, kind: str) -> tuple[int, Any]:
    """Answer everything else rightly, and open the one question of this kind; its number and itself."""
    attempt = reach_assessment(tab.context, server.instance, slug)
    held = questions(server.instance, attempt)
    number = next(n for n, q in enumerate(held, start=1) if q.kind == kind)
    token = token_in(tab.context.request.get("/learning").text())
    for other, sent in answers(server.instance, attempt, right=True):
        for fields in sent if other != number else []:
            send(tab.context, f"/assessment/{attempt}/items/{other}", token, fields)
    tab.goto(f"/assessment/{attempt}/items/{number}")
    return number, held[number - 1]


def answer_and_submit(tab: Tab, sent: list[Fields]) -> None:
    """Answer the open question, submit, and read the answers back."""
    for fields in sent:
        hold_to_account(tab)
        fill_in(tab, fields)
        press(tab, "Save and continue")
    tab.goto(f"/assessment/{attempt_of(tab)}/check")
    press(tab, "Submit answers")
    assert h1(tab) == "You passed"
    follow(tab, "See your answers and why each is right")
    hold_to_account(tab)


def section(tab: Tab, number: int) -> str:
    """What the page of answers says of a question."""
    return tab.locator(f"section[aria-labelledby='question-{number}']").inner_text()


@pytest.mark.parametrize(
    ("person", "way", "options"),
    [("D3001", 0, {}), pytest.param("D4001", 1, NO_SCRIPTS, marks=pytest.mark.sweep)],
)
def test_the_scenario_by_two_acceptable_ways(
    browser: Browser, copies: Server, person: str, way: int, options: dict[str, Any]
) -> None:
    with visitor(browser, copies, **options) as tab:
        sign_in(tab, person)
        number, question = take_all_but(tab, copies, "second-protect", "scenario")
        taken = ways(question.content)[way]
        answer_and_submit(tab, forms("scenario", question.content, question.order, taken))
        said = section(tab, number)
        assert "Worth 1 of 1" in said
        scenes = {scene["key"]: scene for scene in question.content["scenes"]}
        for step in taken:
            at, _, key = step.partition("/")
            (words,) = [c["html"] for c in scenes[at]["choices"] if c["key"] == key]
            assert words.replace("<p>", "").replace("</p>", "").strip() in tab.inner_html("main")


@pytest.mark.parametrize(
    ("person", "good", "options"),
    [("D5001", True, {}), pytest.param("D6001", False, NARROW, marks=pytest.mark.sweep)],
)
def test_the_report_exercise_done_well_and_badly(
    browser: Browser, copies: Server, person: str, good: bool, options: dict[str, Any]
) -> None:
    with visitor(browser, copies, **options) as tab:
        sign_in(tab, person)
        number, question = take_all_but(tab, copies, "second-report", "report")
        banner = tab.inner_text("main").lower()
        assert "training" in banner
        assert "real person" in banner
        given = response("report", question.content, right=good)
        answer_and_submit(tab, forms("report", question.content, question.order, given))
        said = section(tab, number)
        assert ("Worth 1 of 1" in said) == good
        assert TEXT in said
        assert "A model" in said


@pytest.mark.parametrize(
    ("person", "options"), [("D1001", {}), pytest.param("D2001", NO_SCRIPTS, marks=pytest.mark.sweep)]
)
def test_a_guide_is_searched_read_printed_and_acknowledged(
    browser: Browser, shared_server: Server, person: str, options: dict[str, Any]
) -> None:
    scripts = options.get("java_script_enabled", True)
    with visitor(browser, shared_server, **options) as tab:
        sign_in(tab, person)
        tab.goto("/guides")
        hold_to_account(tab)
        tab.locator("[role=search] input").press_sequentially("send back")
        if scripts:
            tab.wait_for_selector("#found .portal-hits li")
        else:
            press(tab, "Search")
        assert "for “send back”" in h1(tab)
        hold_to_account(tab)
        tab.goto("/guides?q=intelligence+document")
        go(tab, "#found a[href^='/guides/intelligence-document']")
        hold_to_account(tab)
        on_paper(tab)
        press(tab, "I have read this guide")
        assert "Recorded: you have read this guide. Reference OIC-" in tab.inner_text("main")
        query = (
            "SELECT count(*) FROM acknowledgement k JOIN record r ON r.id = k.record_id"
            " JOIN person_name n ON n.person_id = r.person_id WHERE n.staff_number = ?"
        )
        assert ask(shared_server.instance, query, person) == [(1,)]


def on_paper(tab: Tab) -> None:
    """What the page is on paper: no navigation, no button; addresses stay, heads of tables repeat."""
    tab.emulate_media(media="print")
    for gone in (".portal-navigation", ".portal-breadcrumb", ".portal-header__account", ".govuk-button"):
        for each in tab.locator(gone).all():
            assert not each.is_visible(), gone
    for head in tab.locator("main table thead").all():
        assert head.evaluate("e => getComputedStyle(e).display") == "table-header-group"
    for link in tab.locator("main .portal-prose a[href^=http]").all():
        assert link.get_attribute("href") in link.evaluate("e => getComputedStyle(e, '::after').content")
    tab.emulate_media(media="screen")


def figures(server: Server) -> str:
    """The address of a lesson that has a figure."""
    query = (
        "SELECT a.key, l.key FROM lesson l JOIN module_version v ON v.id = l.module_version_id"
        " JOIN activity a ON a.id = v.activity_id WHERE l.html LIKE '%<picture>%' ORDER BY 1, 2 LIMIT 1"
    )
    ((slug, key),) = ask(server.instance, query)
    return f"/learning/modules/{slug}/lessons/{key}"


def test_a_lesson_prints_and_its_figure_is_enlarged_by_keyboard(
    browser: Browser, shared_server: Server
) -> None:
    with visitor(browser, shared_server, 320) as tab:
        sign_in(tab, "D4001")
        tab.goto(figures(shared_server))
        on_paper(tab)
        shown = tab.locator("figure.portal-figure picture img").first.bounding_box()
        keyboard.walk_to(tab, "figure.portal-figure button")
        tab.keyboard.press("Enter")
        drawing = tab.locator("dialog[open] img")
        drawing.wait_for()
        large = drawing.bounding_box()
        assert shown
        assert large
        assert large["width"] > 2 * shown["width"]
        assert tab.evaluate("document.activeElement.textContent") == "Close"
        hold_to_account(tab)
        for _ in range(3):
            tab.keyboard.press("Tab")
            assert tab.evaluate("!document.querySelector('main').contains(document.activeElement)")
        tab.keyboard.press("Escape")
        assert not tab.locator("dialog[open]").count()
        assert tab.evaluate("document.activeElement.matches('figure.portal-figure button')")
    with visitor(browser, shared_server, **NO_SCRIPTS) as tab:
        sign_in(tab, "D4001")
        tab.goto(figures(shared_server))
        assert not tab.locator("figure button").count()
        assert NEXT in tab.inner_text("main")
        go(tab, "figure.portal-figure figcaption a")
        assert tab.url.endswith(".svg")
