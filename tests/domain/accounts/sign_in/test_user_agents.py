"""Headers as browsers send them, in words."""

import pytest

from portal.domain.accounts.tokens import describe_browser

CHROMIUM = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROMIUM}"
ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {CHROMIUM} Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
HEADERS = {
    "car terminal": (f"{WINDOWS} Safari/537.36 Edg/142.0.0.0", "Edge on Windows"),
    "car terminal on arm": (
        f"Mozilla/5.0 (Windows NT 10.0; ARM64) {CHROMIUM} Safari/537.36 Edg/142.0.0.0",
        "Edge on Windows",
    ),
    "old edge": (f"{WINDOWS} Safari/537.36 Edge/18.19045", "Edge on Windows"),
    "chrome": (f"{WINDOWS} Safari/537.36", "Chrome on Windows"),
    "firefox": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "Firefox on Windows",
    ),
    "internet explorer": (
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
        "Internet Explorer on Windows",
    ),
    "opera": (f"{WINDOWS} Safari/537.36 OPR/124.0.0.0", "Opera on Windows"),
    "vivaldi": (f"{WINDOWS} Safari/537.36 Vivaldi/7.6", "Vivaldi on Windows"),
    "safari on a phone": (f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
    "chrome on a phone": (f"{IPHONE} CriOS/142.0.0.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
    "edge on a phone": (f"{IPHONE} Version/18.0 EdgiOS/142.0 Mobile/15E148 Safari/604.1", "Edge on iPhone"),
    "firefox on a phone": (f"{IPHONE} FxiOS/145.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone"),
    "duckduckgo on a phone": (f"{IPHONE} Version/18.5 Mobile Safari/604.1 Ddg/18.5", "DuckDuckGo on iPhone"),
    "google app": (f"{IPHONE} GSA/394.0 Mobile/15E148 Safari/604.1", "Google app on iPhone"),
    "safari on a tablet": (f"{IPAD} Version/18.5 Mobile/15E148 Safari/604.1", "Safari on iPad"),
    "chrome on android": (ANDROID, "Chrome on Android"),
    "edge on android": (f"{ANDROID} EdgA/142.0.0.0", "Edge on Android"),
    "samsung": (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 "
        "Chrome/136.0.0.0 Mobile Safari/537.36",
        "Samsung Internet on Android",
    ),
    "firefox on android": (
        "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
        "Firefox on Android",
    ),
    "inside an app": (
        "Mozilla/5.0 (Linux; Android 15; SM-X306B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
        "Chrome/142.0.7444.48 Safari/537.36",
        "App on Chrome on Android",
    ),
    "safari on a mac": (
        f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
        "Safari on Mac",
    ),
    "chromebook": (
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROMIUM} Safari/537.36",
        "Chrome on ChromeOS",
    ),
    "firefox on linux": (
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "Firefox on Linux",
    ),
    "curl": ("curl/8.14.1", "Program (curl)"),
    "python": ("python-requests/2.32.5", "Program (Python)"),
    "nothing": ("", "Unknown browser"),
    "nonsense": ("☃ <script>", "Unknown browser"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_browser_is_named_as_its_person_would(name: str) -> None:
    header, words = HEADERS[name]

    assert describe_browser(header) == words
