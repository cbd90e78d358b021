// Comfort only: every page works without this file.
import { initAll } from "./govuk-frontend.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// What is folded is printed, also where the style sheet cannot unfold it.
let unfolded = [];
window.addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("main details:not([open])")];
  for (const details of unfolded) details.open = true;
});
window.addEventListener("afterprint", () => {
  for (const details of unfolded) details.open = false;
});

// Text that was typed and not sent is not lost without a question.
for (const form of document.querySelectorAll("form[data-unsaved]")) {
  let changed = form.dataset.unsaved === "yes"; // what was sent to be shown is not saved by that
  form.addEventListener("input", () => (changed = true));
  form.addEventListener("submit", () => (changed = false));
  form.addEventListener("saved", () => (changed = false));
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}

// What goes on in the background: looked at again until it has ended, half an hour at most.
for (const part of document.querySelectorAll("[data-refresh]")) {
  let left = 900;
  const look = async () => {
    if (left-- <= 0) return;
    setTimeout(look, 2000);
    if (document.hidden) return;
    const answer = await fetch(part.dataset.refresh).catch(() => null);
    if (!answer) return;
    if (answer.redirected || !answer.ok) left = 0; // signed out
    else show(part, new DOMParser().parseFromString(await answer.text(), "text/html"));
  };
  setTimeout(look, 1000);
}

function show(part, fresh) {
  for (const piece of part.querySelectorAll("[data-piece]")) {
    const next = fresh.querySelector(`[data-piece="${piece.dataset.piece}"]`);
    if (!next) return location.reload(); // it has ended
    if (next.innerHTML !== piece.innerHTML) piece.innerHTML = next.innerHTML;
  }
}

// A figure as large as the window. Its link, which opens the drawing on its own, stays.
for (const figure of document.querySelectorAll("figure.portal-figure")) {
  const image = figure.querySelector("picture img");
  const link = figure.querySelector("figcaption a");
  if (!image || !link) continue;

  const opener = document.createElement("button");
  opener.type = "button";
  opener.className = "portal-link-button portal-no-print";
  opener.append("Enlarge the figure");
  const name = document.createElement("span");
  name.className = "govuk-visually-hidden";
  name.textContent = `: ${image.alt}`;
  opener.append(name);
  link.after(" ", opener);

  let dialog;
  opener.addEventListener("click", () => {
    dialog ??= enlarged(image.alt, link.href);
    if (!dialog.isConnected) document.body.append(dialog);
    dialog.showModal(); // holds the focus inside, closes with Escape, and gives the focus back
  });
}

function enlarged(name, address) {
  const dialog = document.createElement("dialog");
  dialog.className = "portal-enlarged";
  dialog.setAttribute("aria-label", name);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "govuk-button govuk-button--secondary";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  const image = document.createElement("img");
  image.src = address;
  image.alt = name;
  dialog.append(close, image);
  return dialog;
}
