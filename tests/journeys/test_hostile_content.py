"""Hostile texts, titles and drawings in a real browser: opened in every place, none runs anything.

The pages are opened without their content security policy, so that nothing but what the portal makes of a
text protects the reader; drawings that no upload would take are opened with the policy they are served with.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Dialog, Request
from playwright.sync_api import Page as Tab
from sqlalchemy import select

from config import Config
from portal.app import create_app
from portal.domain.authoring import media, queries, services
from portal.domain.authoring.media import MediaUpload, MediaUploadError
from portal.domain.catalogue import services as catalogue
from portal.domain.catalogue.markdown import render_inline, render_page
from portal.domain.catalogue.module_check import sha256_of
from portal.domain.people.models import PersonName
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from tests.chromium import MILLISECONDS
from tests.databases import close_database
from tests.examples import sweep_after
from tests.journeys.walking import servers, sign_in
from tests.pages.authoring.hostile import (
    RUN,
    SCRIPT,
    bare,
    checks,
    drawings,
    examples,
    markup,
    place,
    shuffled_drawings,
    texts,
)
from tests.running import Server, copied

pytestmark = pytest.mark.browser

KEY = "hostile"
A_LESSON = 14  # texts
A_PAGE = 200  # fragments
REFUSED = {"csp", "origin"}  # by the browser itself, before anything is asked
PICTURES = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x20\0\0\0WEBPVP8 "]
# Whatever waits for an event gets it; what a browser would run on reading the same markup again, it reads.
PROVOKE = """() => {
  const kinds = ["load", "error", "focus", "focusin", "mouseover", "toggle", "begin", "animationstart"];
  const provoke = (root) => {
    for (const one of root.querySelectorAll("*"))
      for (const kind of kinds) one.dispatchEvent(new Event(kind, { bubbles: false }));
  };
  provoke(document);
  const main = document.querySelector("main, body");
  for (const name of ["div", "template", "textarea", "svg", "select"]) {
    const again = document.createElement(name);
    again.innerHTML = main ? main.innerHTML : "";
    provoke(again.content || again);
  }
  const names = ["href", "src", "action", "formaction", "data", "srcset"];
  const found = [...document.querySelectorAll("*")].flatMap((one) =>
    names.map((name) => one.getAttribute(name)).filter(Boolean));
  return found.filter((address) => URL.canParse(address, document.baseURI)).map(
    (address) => new URL(address, document.baseURI).href);
}"""


@dataclass
class Watch:
    """A tab, and whatever a script of the page's own, or a text's, could have done in it."""

    tab: Tab
    own: str
    dialogs: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tab.on("dialog", self._dialog)
        self.tab.on("requestfinished", self._asked)
        self.tab.on("requestfailed", lambda request: request.failure in REFUSED or self._asked(request))

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"http", "https"} or parts.netloc != self.own:
            self.outside.append(request.url)

    @property
    def ran(self) -> bool:
        """Whether any hostile script left its mark."""
        mark = self.tab.evaluate("() => document.documentElement?.dataset?.ran ?? ''")
        return bool(mark or self.dialogs)

    def hold(self, path: str) -> None:
        """Open a page, provoke it, and find nothing that ran, asked elsewhere, or could."""
        answer = self.tab.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        addresses = self.tab.evaluate(PROVOKE)
        foreign = [a for a in addresses if not re.match(r"(https?|mailto|tel):", a)]
        assert not self.ran, f"{path} ran a script"
        assert foreign == [], path
        assert self.outside == [], path


@contextmanager
def watched(browser: Browser, server: Server, *, policy: bool = False) -> Iterator[Watch]:
    """A tab that obeys no content security policy, or that does."""
    context = browser.new_context(base_url=server.address, bypass_csp=not policy, accept_downloads=False)
    context.set_default_timeout(MILLISECONDS)
    servers[context] = server.address
    try:
        yield Watch(context.new_page(), urlsplit(server.address).netloc)
    finally:
        context.close()


def quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text).replace("\x7f", "\\u007f")


def seen(text: str) -> bool:
    """Whether a file of a module may hold the text at all."""
    return not re.search(r"[\x00-\x08\x0b-\x1f\x7f\ufeff]", text)


def lessons(bodies: Sequence[str], size: int = A_LESSON) -> dict[str, bytes]:
    """Lessons of so many texts each."""
    groups = [bodies[first : first + size] for first in range(0, len(bodies), size)]
    head = f'+++\ntitle = {quoted(SCRIPT + " & title")}\nminutes = 2\noutcomes = ["see"]\n+++\n\n'
    return {
        f"lessons/lesson-{number}.md": (head + "\n\n".join(group) + "\n").encode()
        for number, group in enumerate(groups, 1)
    }


def module(files: dict[str, bytes], key: str = KEY) -> dict[str, bytes]:
    """The lessons with items and details, every text of which is hostile."""
    names = [path[8:-3] for path in files if path.startswith("lessons/")]
    hostile = [SCRIPT, f"<img src=x onerror={RUN}>", f"[x](javascript:{RUN})", f'"><svg onload={RUN}>']
    said = quoted(hostile[0]), quoted(hostile[3])
    details = f"""key = "{key}"
title = {said[0]}
aim = {said[1]}
owner = {said[1]}
review_on = 2027-05-31
minutes = 10
mastery_score = 0.8
lessons = {json.dumps(names)}

[[outcome]]
key = "see"
text = {said[1]}

[assessment]
draw = 1
"""
    aid = f"+++\ntitle = {said[1]}\n+++\n\n{hostile[1]}\n"
    return {
        **files,
        "module.toml": details.encode(),
        "job-aid.md": aid.encode(),
        "items/items.toml": "".join(_item(n, text) for n, text in enumerate(hostile)).encode(),
    }


def _item(number: int, text: str) -> str:
    said = quoted(text)
    head = f'[[item]]\nkey = "item-{number}"\noutcome = "see"\nkind = "single"\nsource = "practice"\n'
    body = f"prompt = {said}\nstimulus = {said}\nexplanation = {said}\n\n"
    choice = "[[item.choice]]\nkey = {key}\ntext = {said}\nfeedback = {said}\n{right}\n"
    return (
        head
        + body
        + choice.format(key='"a"', said=said, right="correct = true\n")
        + choice.format(key='"b"', said=said, right="")
    )


@dataclass
class Planted:
    """A server whose drafts and versions are hostile, and where."""

    server: Server
    draft: list[str]  # addresses of the draft's pages
    published: list[str]  # addresses of a learner's pages
    media: list[str]  # addresses of drawings that no upload would take
    taken: list[str]  # addresses of shuffled drawings that the upload took


def plant(app: Flask) -> tuple[list[str], list[str], list[str], list[str]]:
    """Write a hostile draft, publish what passes the check, keep drawings that the upload would refuse."""
    with app.app_context(), transaction():
        by = db.session.scalars(select(PersonName.person_id).where(PersonName.staff_number == "D3001")).one()
        services.create_module_draft(KEY, "New", by=by, at=clock.now())
        state = queries.get_draft(KEY)
        raw = {f"media/raw-{n}.svg": content for n, content in enumerate(drawings())}
        raw |= {f"media/odd-{n}.png": head + SCRIPT.encode() for n, head in enumerate(PICTURES)}
        good = {f"media/good-{n}.svg": content for n, content in enumerate(taken())}
        bodies = [text for text in (*texts(), *examples(markup, 150)) if seen(text)]
        written = module({**lessons(bodies), "lessons/checks.md": checks_page()})
        changes = dict.fromkeys(state.files) | written
        services.save_files(
            state.draft_id, changes, expected=state.files, summary=SCRIPT, by=by, at=clock.now()
        )
        for part in (raw, good):
            _keep_quietly(state.draft_id, part, by)
        kept = module(lessons([text for text in bodies if passes(text)]), "harmless")
        harmless = {path: content for path, content in kept.items() if not path.startswith("items/")}
        harmless["items/items.toml"] = _item(0, SCRIPT).encode()
        catalogue.publish_files("harmless", harmless, at=stamp(), by=by)
    names = [path[8:-3] for path in written if path.startswith("lessons/")]
    pages = [f"/authoring/{KEY}{end}" for end in ("", "/preview", "/preview/job-aid", "/media", "/history")]
    pages += [f"/authoring/{KEY}/details", f"/authoring/{KEY}/job-aid", "/authoring"]
    pages += [f"/authoring/{KEY}/preview/lessons/{name}" for name in names]
    pages += [f"/authoring/{KEY}/preview/items/item-{n}" for n in range(4)]
    pages += [f"/authoring/{KEY}/items/item-{n}" for n in range(4)]
    pages += [f"/authoring/{KEY}/lessons/{name}" for name in names[:3]]
    learners = [f"/learning/modules/harmless/lessons/{p[8:-3]}" for p in harmless if p.startswith("lessons/")]
    learners += ["/learning/modules/harmless", "/learning/modules/harmless/job-aid", "/modules"]
    return pages, learners, _addresses(raw), _addresses(good)


def _keep_quietly(draft_id: int, media: dict[str, bytes], by: int) -> None:
    """A state of the draft that holds these media, as a folder brought in from elsewhere might."""
    state = queries.get_draft(KEY)
    held = {path: None for path in state.files if path.startswith("media/")}
    services.save_files(
        draft_id, {**held, **media}, expected=state.files, summary="Media", by=by, at=clock.now()
    )


def _addresses(media: dict[str, bytes]) -> list[str]:
    return [f"/authoring/{KEY}/media/{sha256_of(content)}/{path[6:]}" for path, content in media.items()]


def checks_page() -> bytes:
    """One lesson of hostile exercises."""
    return next(iter(lessons(checks(), 100).values()))


def passes(text: str) -> bool:
    """Whether the check finds nothing in the text, so that it can be published."""
    here = place()
    render_page(text, here)
    return not len(here.context.faults) and "media/" not in text and "term:" not in text


def taken() -> list[bytes]:
    """What the upload takes of shuffled drawings, as it keeps it."""
    found = []
    for content in shuffled_drawings(400):
        try:
            found.append(media.check_upload(MediaUpload("x.svg", content, SCRIPT, SCRIPT, ""), []).content)
        except MediaUploadError:
            continue
    assert len(found) > 20
    return found[:60]


@pytest.fixture(scope="module")
def planted(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    instance = copied(small_force, tmp_path_factory.mktemp("hostile") / "instance")
    app = create_app(Config(mode="demo", secret_key="k" * 32, instance=instance))
    found = plant(app)
    with app.app_context():
        close_database()
    server = Server(instance)
    try:
        yield Planted(server.start(), *found)
    finally:
        server.kill()


def test_every_text_alone_is_inert_without_any_policy(browser: Browser, planted: Planted) -> None:
    """Hundreds of texts, each rendered by itself, in documents that would run whatever is left alive."""
    every = [*texts(), *checks(), *examples(markup, 400)]
    assert len(every) > 800
    fragments = [
        f"<section>{made(text, place())}</section>" for text in every for made in (render_page, render_inline)
    ]
    with watched(browser, planted.server) as watch:
        for first in range(0, len(fragments), A_PAGE):
            serve(watch, "/fragments", "".join(fragments[first : first + A_PAGE]))
            watch.hold("/fragments")


def serve(watch: Watch, path: str, body: str, kind: str = "text/html; charset=utf-8") -> None:
    """Answer ``path`` with this document, without any policy."""
    head = "<!DOCTYPE html><title>x</title><main>" if kind.startswith("text/html") else ""
    watch.tab.unroute(f"**{path}")
    watch.tab.route(f"**{path}", lambda route: route.fulfill(body=head + body, content_type=kind))


@pytest.mark.parametrize(
    "text", sweep_after(1, SCRIPT, bare()[4], f"<svg onload='{RUN}'></svg>", f"<b onfocus={RUN}>x</b>")
)
def test_the_watch_sees_what_runs(browser: Browser, planted: Planted, text: str) -> None:
    with watched(browser, planted.server) as watch:
        serve(watch, "/alive", text)
        with pytest.raises(AssertionError, match="ran a script"):
            watch.hold("/alive")


@pytest.mark.sweep
def test_the_watch_sees_foreign_addresses(browser: Browser, planted: Planted) -> None:
    with watched(browser, planted.server) as watch:
        serve(watch, "/links", f'<a href="javascript:{RUN}">x</a>')
        with pytest.raises(AssertionError, match="/links"):
            watch.hold("/links")


@pytest.mark.sweep
def test_no_page_of_a_hostile_draft_runs_anything(browser: Browser, planted: Planted) -> None:
    with watched(browser, planted.server) as watch:
        sign_in(watch.tab, "D3001")
        for path in planted.draft:
            watch.hold(path)
        for path in (f"/authoring/{KEY}/history", f"/authoring/{KEY}"):
            assert SCRIPT in watch.tab.goto(path).text().replace("&lt;", "<").replace("&gt;", ">")
    assert len(planted.draft) > 50


@pytest.mark.sweep
def test_no_published_page_runs_anything(browser: Browser, planted: Planted) -> None:
    with watched(browser, planted.server) as watch:
        sign_in(watch.tab, "D1001")
        for path in planted.published:
            watch.hold(path)
    assert len(planted.published) > 10


@pytest.mark.sweep
def test_no_drawing_that_was_taken_runs_anything_on_its_own(browser: Browser, planted: Planted) -> None:
    with watched(browser, planted.server) as watch:
        sign_in(watch.tab, "D3001")
        for path in planted.taken:
            watch.hold(path)
    assert len(planted.taken) > 20


@pytest.mark.sweep
def test_a_drawing_that_nobody_would_take_runs_nothing_as_it_is_served(
    browser: Browser, planted: Planted
) -> None:
    with watched(browser, planted.server, policy=True) as watch:
        sign_in(watch.tab, "D3001")
        shown = 0
        for path in planted.media:
            answer = watch.tab.goto(path)
            assert answer is not None
            if answer.status == 404:  # of no type that is served at all
                continue
            shown += 1
            assert answer.headers["content-security-policy"].endswith("sandbox")
            assert not watch.ran, path
            assert watch.outside == [], path
        assert shown > 40


@pytest.mark.sweep
def test_the_same_drawings_run_where_nothing_stops_them(browser: Browser, planted: Planted) -> None:
    with watched(browser, planted.server) as watch:
        ran = 0
        for content in drawings()[:12]:
            serve(watch, "/drawing", content.decode(), "image/svg+xml")
            watch.tab.goto("/drawing")
            ran += watch.ran
        assert ran > 3
