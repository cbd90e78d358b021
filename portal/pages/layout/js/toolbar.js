// Toolbars above text boxes: buttons that write at the cursor. Every page works without this file.
for (const bar of document.querySelectorAll("[data-toolbar]")) {
  const text = document.getElementById(bar.dataset.toolbar);
  if (text) equip(bar, text);
}

// One stop of the Tab key, in which the arrow keys move, as of every toolbar.
function equip(bar, text) {
  for (const part of [bar, ...bar.querySelectorAll("[hidden]")]) part.hidden = false;
  for (const part of bar.querySelectorAll("[data-with-script='']")) part.hidden = true;
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", bar.dataset.label);
  bar.setAttribute("aria-controls", text.id);
  const buttons = [...bar.querySelectorAll("button")];
  const stopAt = (current) => buttons.forEach((button) => (button.tabIndex = button === current ? 0 : -1));
  stopAt(buttons[0]);
  bar.addEventListener("focusin", (event) => buttons.includes(event.target) && stopAt(event.target));
  bar.addEventListener("keydown", (event) => {
    const here = buttons.indexOf(document.activeElement);
    const last = buttons.length - 1;
    const next = { ArrowRight: here < last ? here + 1 : 0, ArrowLeft: here > 0 ? here - 1 : last, Home: 0, End: last };
    if (!(event.key in next)) return;
    event.preventDefault();
    buttons[next[event.key]].focus();
  });
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-write]");
    if (!button) return;
    event.preventDefault();
    WRITERS[button.dataset.write](text, button.dataset.mark);
  });
  text.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const keys = `Control+${event.key.toUpperCase()}`;
    const button = buttons.find((each) => each.getAttribute("aria-keyshortcuts") === keys);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
}

const WRITERS = { wrap, line, link, box };

// Marks around the chosen words; taken away again where they are there.
function wrap(text, mark) {
  const { value, selectionStart: start, selectionEnd: end } = text;
  if (value.slice(start - mark.length, start) === mark && value.slice(end, end + mark.length) === mark) {
    replace(text, start - mark.length, end + mark.length, value.slice(start, end), 0, end - start);
    return;
  }
  const words = value.slice(start, end) || "words";
  replace(text, start, end, mark + words + mark, mark.length, mark.length + words.length);
}

// A mark at the beginning of each chosen line; taken away again where every line has it.
function line(text, mark) {
  const { value } = text;
  const start = value.lastIndexOf("\n", text.selectionStart - 1) + 1;
  const end = value.indexOf("\n", text.selectionEnd) < 0 ? value.length : value.indexOf("\n", text.selectionEnd);
  const lines = value.slice(start, end).split("\n");
  const own = mark === "1. " ? /^\d+\. / : mark === "- " ? /^- / : /^#+ /;
  const marked = lines.every((each) => own.test(each))
    ? lines.map((each) => each.replace(own, ""))
    : lines.map((each, number) => (mark === "1. " ? `${number + 1}. ` : mark) + each.replace(/^(?:\d+\. |- |#+ )/, ""));
  const above = start > 0 && !value.slice(0, start).endsWith("\n\n") ? "\n" : "";
  const words = above + marked.join("\n");
  replace(text, start, end, words, words.length, words.length);
}

function link(text) {
  const words = text.value.slice(text.selectionStart, text.selectionEnd) || "words of the link";
  const before = `[${words}](`;
  replace(text, text.selectionStart, text.selectionEnd, `${before}https://)`, before.length, before.length + 8);
}

// A box on lines of its own; the words to replace are chosen.
function box(text, template) {
  const before = text.value.slice(0, text.selectionStart);
  const after = text.value.slice(text.selectionEnd);
  const above = before === "" || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  const below = after.startsWith("\n\n") || after === "" ? "" : after.startsWith("\n") ? "\n" : "\n\n";
  const first = template.indexOf("\n") + 1;
  const last = template.indexOf("\n", first) < 0 ? template.length : template.indexOf("\n", first);
  replace(
    text, text.selectionStart, text.selectionEnd, above + template + below, above.length + first, above.length + last,
  );
}

// Written as if typed, so that the browser can undo it; what is chosen then is counted from the first new letter.
function replace(text, start, end, words, from, to) {
  text.focus();
  text.setSelectionRange(start, end);
  if (!document.execCommand("insertText", false, words)) {
    text.setRangeText(words, start, end, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }
  text.setSelectionRange(start + from, start + to);
}
