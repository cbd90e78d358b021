"""Describes a browser in words, for the lists of browsers in which people are signed in.

Since browsers froze their User-Agent header it tells a dozen families from each other and little more; a
library with a thousand patterns names none of these better (docs/decisions/0042). Not told apart: browsers
on Chromium without a mark of their own, which are Chrome here, and iPads that ask for desktop pages, which
say that they are a Mac.
"""

_FAMILIES = (  # the first mark that the header has; what others claim to be as well comes last
    ("Edg", "Edge"),  # also EdgA on Android and EdgiOS
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("Vivaldi", "Vivaldi"),
    ("GSA/", "Google app"),
    ("Trident/", "Internet Explorer"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Focus/", "Firefox"),
    ("CriOS", "Chrome"),
    ("; wv)", "App on Chrome"),  # a page inside another program
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl/", "Program (curl)"),
    ("python", "Program (Python)"),
    ("Python", "Program (Python)"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def describe_browser(user_agent: str) -> str:
    """The browser's family and system, from its User-Agent header.

    >>> describe_browser("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0")
    'Edge on Windows'
    >>> describe_browser("")
    'Unknown browser'
    """
    family = next((name for mark, name in _FAMILIES if mark in user_agent), "Unknown browser")
    system = next((f" on {name}" for mark, name in _SYSTEMS if mark in user_agent), "")
    return family + system
