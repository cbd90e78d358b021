// Comfort for the editors of texts, questions and details; every page works without this file.
const form = document.querySelector("form[data-editor]");

if (form) {
  for (const heading of document.querySelectorAll("[data-with-script]")) {
    heading.textContent = heading.dataset.withScript;
  }
  preview(form);
  keep(form, form.dataset.saves ? save(form) : () => undefined);
  rows(form);
  if (!CSS.supports("field-sizing", "content")) grow(form);
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

// A row is added, moved or removed without another page: the server does it, and the page takes its rows.
function rows(form) {
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (button?.name !== "row" || button.dataset.plain) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const sent = new URLSearchParams(new FormData(form, button));
    try {
      const answer = await fetch(form.action || location.href, { method: "POST", body: sent, redirect: "error" });
      const there = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [old, renewed] = [form, there].map((page) => page.querySelector("[data-rows]"));
      if (!answer.ok || !renewed) throw new Error("no rows");
      old.replaceChildren(...renewed.childNodes);
    } catch {
      button.dataset.plain = "yes";
      form.requestSubmit(button); // the page that answers says what is wrong
      return;
    }
    const row = document.getElementById(button.getAttribute("formaction").slice(1)) ?? form.querySelector("[data-rows]");
    row.closest("details")?.setAttribute("open", "");
    (row.matches("input, textarea, select") ? row : row.querySelector("input:not([type=hidden]), textarea, select"))?.focus();
    form.dispatchEvent(new Event("input", { bubbles: true }));
  }, true);
}

// A box is as high as its text, where the style sheet cannot say so.
function grow(form) {
  const fit = (box) => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight + 4, innerHeight * 0.75)}px`;
  };
  form.addEventListener("input", (event) => event.target.matches?.("textarea") && fit(event.target));
  form.querySelectorAll("textarea").forEach(fit);
}
