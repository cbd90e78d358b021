"""Pictures, sound, film and documents in a lesson, in a real browser under the portal's own policy."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.domain.catalogue.kinds_of_media import PLAYED, write_media_module
from tests.journeys.walking import hold_to_account, sign_in, visitor
from tests.running import Server, command, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]


def test_a_lesson_with_every_kind_of_medium(browser: Browser, server: Server, tmp_path: Path) -> None:
    folder = str(write_media_module(tmp_path / "modules"))
    done = command(settings(server.instance, server.port), "modules", "publish", folder)
    assert done.returncode == 0, done.stderr
    with visitor(browser, server, 320) as tab:
        sign_in(tab, "D1001")
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
        tab.goto("/learning/modules/sample/lessons/first", wait_until="networkidle")
        assert {"photo.png", "map.webp"} <= set(asked)
        assert tab.evaluate("document.querySelector('img').naturalWidth") == 1
        assert not set(PLAYED) & set(asked)  # nothing plays or loads by itself, captions apart
        for name in PLAYED:
            player = f"document.querySelector('video[src$=\"{name}\"]')"
            with tab.expect_response(lambda answer, name=name: answer.url.endswith(name)) as waiting:
                tab.evaluate(f"{player}.load(), {player}.play().catch(() => null)")
            assert waiting.value.status in {200, 206}
        tone = "document.querySelector('video[src$=\"tone.wav\"]')"
        tab.evaluate(f"{tone}.pause()")
        for moment, words in ((0.5, "[A tone begins]"), (2.5, "[It goes on]")):  # captions are in step
            tab.evaluate(f"{tone}.currentTime = {moment}")
            shown = f"[...{tone}.textTracks[0].activeCues || []].some(cue => cue.text === words)"
            tab.wait_for_function(f"words => {shown}", arg=words)
        for width in (320, 1280):
            tab.set_viewport_size({"width": width, "height": 900})
            hold_to_account(tab)
        with tab.expect_download() as download:
            tab.locator("main a[href$='form.pdf']").click()
        assert download.value.suggested_filename == "form.pdf"
