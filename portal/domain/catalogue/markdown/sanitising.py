"""The one pass of rendered HTML through an allow-list; whatever it does not name is taken out."""

import re

import nh3

# A medium of a version or of a draft, under its hash; nothing else of the portal is ever fetched by a text.
_MEDIUM = re.compile(r"(/authoring/(?:_guides/)?[a-z0-9\-]+)?/media/[0-9a-f]{64}/[A-Za-z0-9._\-]+")
_GLOBAL = {"class", "id"}
ATTRIBUTES: dict[str, set[str]] = {
    "*": _GLOBAL | {"lang"},
    "a": {"href", "title"},
    "audio": {"controls", "preload", "src"},
    "code": set(),
    "div": {"role", "aria-label", "tabindex"},
    "fieldset": {"aria-describedby"},
    "img": {"src", "alt", "width", "height"},
    "input": {"type", "name", "value"},
    "label": {"for"},
    "ol": {"start"},
    "option": {"value"},
    "select": set(),
    "source": {"media", "srcset", "type", "width", "height"},
    "span": {"aria-hidden"},
    "td": set(),
    "th": {"scope"},
    "track": {"kind", "srclang", "label", "src", "default"},
    "video": {"controls", "preload", "src"},
}
TAGS = set(ATTRIBUTES) - {"*"} | set(
    "p h2 h3 h4 h5 h6 ul li blockquote hr br strong em pre table thead tbody tr"
    " details summary figure figcaption picture legend".split()
)


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    """The value, None where the attribute is to go: only two kinds of input, nothing outside for media."""
    if tag == "input" and name == "type" and value not in {"radio", "checkbox"}:
        return None
    if name in {"src", "srcset"} and not _MEDIUM.fullmatch(value):
        return None
    return value


def sanitise_html(html: str) -> str:
    """The HTML with nothing in it that could run, load from elsewhere or send anything."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_filter_attribute,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )
