"""A form as a browser would send it untouched: what is ticked, selected and typed."""

from html.parser import HTMLParser


class FilledForm(HTMLParser):
    """Reads the one form of a page that holds a button with these words."""

    def __init__(self, html: str, button: str) -> None:
        super().__init__()
        self.action, self.fields = "", list[tuple[str, str]]()
        self._button, self._found = button, False
        self._action, self._fields = "", list[tuple[str, str]]()
        self._select: list[tuple[str, bool]] | None = None  # values of the open list, and which is selected
        self._name = self._text = self._open = ""
        self._pressed: tuple[str, str, str] | None = None  # name, value and address of the open button
        self.feed(html)
        if not self._found:
            raise RuntimeError(f"no “{button}”")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take up a control."""
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self._action, self._fields, self._pressed = given.get("action", ""), [], None
        elif tag == "input" and given.get("type") == "submit":
            self._press(given, given.get("value", ""))
        elif tag == "input" and name and given.get("type") != "file":
            if given.get("type") not in {"checkbox", "radio"} or "checked" in given:
                self._fields.append((name, given.get("value", "")))
        elif tag in {"select", "textarea"}:
            self._name, self._text, self._select = name, "", [] if tag == "select" else None
        elif tag == "option" and self._select is not None:
            self._select.append((given.get("value", ""), "selected" in given))
        elif tag == "button":
            self._open, self._text, self._given = tag, "", given

    def handle_data(self, data: str) -> None:
        """Keep what may be typed, or a button's words."""
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        """End a control, a button or the form."""
        if tag == "textarea":
            self._fields.append((self._name, self._text.removeprefix("\n")))
        elif tag == "select" and self._select is not None:
            chosen = [value for value, is_selected in self._select if is_selected]
            self._fields.append((self._name, (chosen or [self._select[0][0]])[0]))
            self._select = None
        elif tag == "button" and self._open:
            self._open = ""
            self._press(self._given, " ".join(self._text.split()))
        elif tag == "form" and self._pressed and not self._found:
            name, value, action = self._pressed
            self.action, self.fields, self._found = action or self._action, self._fields, True
            if name:
                self.fields.append((name, value))

    def _press(self, given: dict[str, str], words: str) -> None:
        if words.startswith(self._button):
            self._pressed = (given.get("name", ""), given.get("value", words), given.get("formaction", ""))
