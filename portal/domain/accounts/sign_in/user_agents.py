"""Describes a browser in words, for the list of browsers in which someone is signed in."""

_FAMILIES = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
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
