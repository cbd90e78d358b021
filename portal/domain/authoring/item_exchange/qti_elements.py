"""One naming for QTI 2.1 and 3.0: elements and attributes as version 3.0 has them, without ``qti-``.

Runs in a separate process: the portal calls ``portal.domain.authoring.item_exchange.reading``.
"""

import re
from collections.abc import Collection, Iterator
from html import escape
from xml.etree.ElementTree import Element

from portal.domain.authoring.item_exchange.markup import Markup, read_html

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_KEPT = ("href", "style")  # attributes that the reader of HTML looks at
_OWN = frozenset({"feedback-inline", "feedback-block", "modal-feedback", "rubric-block", "prompt"})


def element_name(element: Element) -> str:
    """The name of an element in one form for both versions.

    >>> element_name(Element("simpleChoice")), element_name(Element("qti-simple-choice"))
    ('simple-choice', 'simple-choice')
    """
    name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    return name.removeprefix("qti-") if name.startswith("qti-") else _hyphenate(name)


def attribute_value(element: Element, name: str, default: str = "") -> str:
    """The value of an attribute by its name in version 3.0."""
    for raw_name, value in element.attrib.items():
        if _hyphenate(raw_name.rpartition("}")[2]) == name:
            return value
    return default


def find_all(root: Element, *names: str) -> list[Element]:
    """The elements below, in their order, that have one of these names."""
    return [element for element in root.iter() if element is not root and element_name(element) in names]


def children_named(root: Element, *names: str) -> list[Element]:
    """The direct children that have one of these names."""
    return [element for element in root if element_name(element) in names]


def values_of(root: Element) -> list[str]:
    """The values that a declaration lists."""
    return ["".join(element.itertext()).strip() for element in find_all(root, "value")]


def read_content(element: Element, leave_out: Collection[Element] = ()) -> Markup:
    """The text of an element without its feedback, and without the elements to leave out."""
    left_out = frozenset(map(id, leave_out))
    return read_html("".join(_inner_html(element, left_out)))


def _inner_html(element: Element, left_out: frozenset[int]) -> Iterator[str]:
    """The content as HTML; elements of QTI are only their words. Depth is bounded where it was parsed."""
    yield escape(element.text or "")
    for child in element:
        name = element_name(child)
        if id(child) not in left_out and name not in _OWN:
            attributes = "".join(
                f' {key}="{escape(child.attrib[key])}"' for key in _KEPT if key in child.attrib
            )
            yield f"<{name}{attributes}>"
            yield from _inner_html(child, left_out)
            yield f"</{name}>"
        yield escape(child.tail or "")


def _hyphenate(name: str) -> str:
    return _CAPITAL.sub(r"-\1", name).lower()
