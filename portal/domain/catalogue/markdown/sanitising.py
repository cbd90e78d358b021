"""The allow-list for rendered HTML; everything else is removed."""

import re

import nh3

# A media file of a version, draft or proposal, under its hash; texts may fetch nothing else from the portal.
_MEDIUM = re.compile(
    r"(/authoring/(?:_guides/)?[a-z0-9\-]+|/exercises(?:/versions/_proposals/\d+)?)?"
    r"/media/[0-9a-f]{64}/[A-Za-z0-9._\-]+"
)
_GLOBAL = {"class", "id"}
ATTRIBUTES: dict[str, set[str]] = {
    "*": _GLOBAL | {"lang"},
    "a": {"download", "href", "title"},
    "code": set(),
    "details": {"open"},
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
    "video": {"aria-label", "controls", "preload", "src"},
}
TAGS = set(ATTRIBUTES) - {"*"} | set(
    "p h2 h3 h4 h5 h6 ul li blockquote hr br strong em pre table thead tbody tr"
    " summary figure figcaption picture legend".split()
)


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    """Return the value, or None to remove the attribute: other types of input, media from elsewhere."""
    if tag == "input" and name == "type" and value not in {"radio", "checkbox"}:
        return None
    if name in {"src", "srcset"} and not _MEDIUM.fullmatch(value):
        return None
    return value


def sanitise_html(html: str) -> str:
    """Remove everything that could run, load from elsewhere or send anything."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_filter_attribute,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )
