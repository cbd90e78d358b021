// Comfort for the editors of texts, questions and details; every page works without this file.
const form = document.querySelector("form[data-editor]");

if (form) {
  const text = form.querySelector("textarea[data-text]");
  for (const heading of document.querySelectorAll("[data-with-script]")) {
    heading.textContent = heading.dataset.withScript;
  }
  preview(form);
  keep(form, form.dataset.saves ? save(form) : () => undefined);
  if (text) toolbar(text);
}

// The preview follows the writing: the server renders, cleans and checks, the page puts in what it sends.
function preview(form) {
  let waiting;
  let asked;

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, Number(form.dataset.waits));
  });

  async function show() {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(form.dataset.editor, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        signal: asked.signal,
        redirect: "error",
      });
      if (answer.ok) replace(await answer.text());
    } catch {
      // Without a connection the preview stays as it was; saving says so.
    }
  }
}

// Each part of the answer takes the place of the part with its id; what was unfolded stays so.
function replace(html) {
  const parts = new DOMParser().parseFromString(html, "text/html").body.children;
  for (const part of [...parts]) {
    const there = document.getElementById(part.id);
    if (!there || there.contains(document.activeElement)) continue;
    const open = [...there.querySelectorAll("details")].map((fold) => fold.open);
    there.replaceChildren(...part.childNodes);
    [...there.querySelectorAll("details")].forEach((fold, number) => {
      if (open[number]) fold.open = true;
    });
  }
}

// What was written is saved while one thinks; what was not taken says why, and waits for the button.
// Returns what ends this: it gives the save that is under way, which a button's save must not overtake.
function save(form) {
  let waiting;
  let typed = 0;
  let under;

  form.addEventListener("input", () => {
    typed += 1;
    clearTimeout(waiting);
    waiting = setTimeout(go, Number(form.dataset.saves) * 1000);
  });

  return () => {
    clearTimeout(waiting);
    return under;
  };

  async function go() {
    await under; // two saves of one page come one after the other, each expecting what the last one left
    under = send();
  }

  async function send() {
    const then = typed;
    const said = new URLSearchParams(new FormData(form));
    said.set("quiet", "yes");
    try {
      const answer = await fetch(form.action || location.href, { method: "POST", body: said, redirect: "error" });
      if (answer.status === 401) document.getElementById("saved").textContent = form.dataset.signedOut;
      if (!answer.ok) return;
      const html = await answer.text();
      replace(html);
      const told = new DOMParser().parseFromString(html, "text/html").getElementById("saved");
      if (!told?.dataset.expected) return;
      form.elements.expected.value = told.dataset.expected;
      if (then === typed) form.dispatchEvent(new Event("saved"));
    } catch {
      // Nothing is lost: the text stays in the page, and the button says what is wrong.
    }
  }
}

// A line to the server is tried before the text leaves the page, so that a lost connection loses nothing.
function keep(form, settle) {
  const told = form.querySelector("[data-not-saved]");
  let sure = false;

  form.addEventListener("submit", async (event) => {
    if (sure || !told) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const button = event.submitter;
    await settle();
    try {
      await fetch(form.dataset.probe, { method: "HEAD", cache: "no-store" });
    } catch {
      told.textContent = told.dataset.notSaved;
      told.hidden = false;
      return;
    }
    told.hidden = true;
    sure = true;
    form.requestSubmit(button);
    sure = false;
  }, true);
}

// The buttons write at the cursor instead of at the end, and the words to replace stand selected.
function toolbar(text) {
  for (const button of document.querySelectorAll("button[data-template]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      insert(text, button.dataset.template);
    });
  }
}

function insert(text, template) {
  const before = text.value.slice(0, text.selectionStart);
  const after = text.value.slice(text.selectionEnd);
  const above = before === "" || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  const below = after.startsWith("\n\n") || after === "" ? "" : after.startsWith("\n") ? "\n" : "\n\n";
  text.focus();
  if (!document.execCommand("insertText", false, above + template + below)) {
    text.setRangeText(above + template + below, text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const start = before.length + above.length;
  const line = template.indexOf("\n") + 1;
  const end = template.indexOf("\n", line);
  text.setSelectionRange(start + line, start + (end < 0 ? template.length : end));
}
