"""Replaces characters that no font can draw, and lists the replacements in the document. Pure."""

import re
import unicodedata
from itertools import takewhile

from portal.platform.documents.fonts import REPLACEMENT, is_mark, undrawable_letters
from portal.platform.documents.markup import quote_text, text_content

MOST = 200  # texts that a document lists; nobody reads more
LONGEST = 160  # characters of such a text

_STRING = re.compile(r'(?<!#link\()"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def with_replacements(frame: str, markup: str) -> str:
    """The source of a document in which every text can be shown.

    Args:
        frame: Its head, to which a sentence is added where something was replaced.
        markup: Its content, to which a list of the texts in which something was replaced is added.
    """
    if not undrawable_letters(frame + markup):
        return frame + markup
    lost = undrawable_letters("\n".join(_text_of(string) for string in _STRING.finditer(frame + markup)))
    pattern = re.compile("|".join(map(re.escape, sorted(lost, key=len, reverse=True))))
    changed: dict[str, str] = {}  # what was replaced, by the text as it is shown

    def replace(string: re.Match[str]) -> str:
        text = _text_of(string)
        characters = {one for letter in pattern.findall(text) for one in letter}
        shown = pattern.sub(REPLACEMENT, text)
        lead = "".join(takewhile(is_mark, shown))
        if lead:  # they would combine with the character before the text, and no font may have both
            characters |= set(lead)
            shown = REPLACEMENT + shown.removeprefix(lead)
        if not characters:
            return string[0]
        changed[_shorten_line(shown)] = ", ".join(map(name_of, sorted(characters)))
        return quote_text(shown)

    frame, markup = _STRING.sub(replace, frame), _STRING.sub(replace, markup)
    return f"{frame}{_opening_sentence(len(changed))}{markup}\n{_list_of_texts(changed)}"


def name_of(character: str) -> str:
    """A character that cannot be shown, by its number in Unicode, and by its name where it has one."""
    name = unicodedata.name(character, "").lower()
    return f"U+{ord(character):04X}{f' {name}' if name else ''}"


def _text_of(string: re.Match[str]) -> str:
    """The text of a string literal of the typesetter's language, as ``quote_text`` made it."""
    return _ESCAPED.sub(lambda one: "\n" if one[1] == "n" else one[1], string[1])


def _shorten_line(text: str) -> str:
    """The text on one line, cut to ``LONGEST`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def _opening_sentence(number: int) -> str:
    if not number:
        return ""
    texts = "One text of this document has" if number == 1 else f"{number:,} texts of this document have"
    return (
        f"{text_content(f'{texts} characters that it cannot show. The end of the document says which.')}\n\n"
    )


def _list_of_texts(changed: dict[str, str]) -> str:
    if not changed:
        return ""
    rows = [f"[{text_content(f'“{text}”: {named}')}]" for text, named in list(changed.items())[:MOST]]
    if len(changed) > MOST:
        rows.append(f"[{text_content(f'and {len(changed) - MOST:,} more')}]")
    sentence = (
        f"These texts contain characters that this document cannot show. Each is shown as {REPLACEMENT}:"
    )
    heading = "Characters that could not be shown"
    return f"#heading(level: 2, {quote_text(heading)})\n{text_content(sentence)}\n#list({', '.join(rows)})\n"
