"""The browser of the tests: what is on the machine, without what a person at a desk would want of it."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.waiting import PATIENCE

MILLISECONDS = 1_000 * PATIENCE  # for what a page is to show
# Each window would begin a process for the suggestions under its address bar, and keep another ready for
# the next page: more work than most pages of the portal. The last list of features is the one that counts,
# so it names again what the driver leaves out.
LEFT_OUT = [
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "SpareRendererForSitePerProcess",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
    "Translate",
]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(LEFT_OUT)}",
]


# The same engine without windows comes first: pages take two thirds of the processor time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> Iterator[Browser]:
    """Chromium, until the fixture that asked for it ends."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.fail("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        expect.set_options(timeout=MILLISECONDS)
        opened = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield opened
        opened.close()
