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

// A place chosen on a picture is its checkbox in the list below, to which the page would jump at each choice.
for (const target of document.querySelectorAll(".portal-place__target")) {
  target.addEventListener("click", (event) => {
    event.preventDefault();
    target.control.checked = !target.control.checked;
    target.control.focus({ preventScroll: true });
  });
}

// Going back to a form that was refused asks nobody to send it again.
if (document.title.startsWith("Error: ")) history.replaceState(history.state, "", location.href);

// Five minutes before a sign-in ends, it says so, and can be told to stay. Pages of other tabs count.
const WARN_SECONDS = 300;
const { idleSeconds, leftSeconds } = document.body.dataset;
if (idleSeconds) watchSignIn(Number(idleSeconds) * 1000, Date.now() + Number(leftSeconds) * 1000);

function watchSignIn(idle, last) {
  const warnBefore = Math.min(WARN_SECONDS * 1000, idle / 2);
  const tabs = new BroadcastChannel("portal-sign-in");
  let usedAt = Date.now();
  let dismissed = ""; // what was closed: that it soon ends, or that it has ended
  let notice;
  const used = () => {
    usedAt = Date.now();
    dismissed = "";
    notice?.dialog.close();
  };
  tabs.addEventListener("message", used);
  tabs.postMessage("used");

  const stay = async () => {
    const answer = await fetch("/account", { method: "HEAD" }).catch(() => null);
    if (answer?.ok && !answer.redirected) {
      used();
      tabs.postMessage("used");
    } else if (answer) {
      usedAt = 0; // it has ended
    }
    look();
  };

  const look = () => {
    const rest = Math.min(usedAt + idle, last) - Date.now();
    if (rest > warnBefore) return notice?.dialog.close();
    const stage = rest > 0 ? "soon" : "over";
    if (dismissed === stage) return;
    notice ??= signInNotice(stay, () => (dismissed = notice.stage));
    notice.stage = stage;
    if (!notice.dialog.open) notice.dialog.showModal();
    notice.say(Math.ceil(rest / 60000), last < usedAt + idle);
  };
  setInterval(look, 5000);
  document.addEventListener("visibilitychange", look);
}

function signInNotice(stay, dismiss) {
  const dialog = document.createElement("dialog");
  dialog.className = "portal-notice";
  dialog.setAttribute("aria-labelledby", "sign-in-notice");
  const heading = document.createElement("h2");
  heading.id = "sign-in-notice";
  heading.className = "govuk-heading-m";
  const text = document.createElement("p");
  text.setAttribute("aria-live", "polite");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "govuk-button";
  button.textContent = "Stay signed in";
  button.addEventListener("click", stay);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "govuk-button govuk-button--secondary";
  close.textContent = "Close";
  dialog.addEventListener("cancel", dismiss);
  close.addEventListener("click", () => {
    dismiss();
    dialog.close();
  });
  dialog.append(heading, text, button, " ", close);
  document.body.append(dialog);
  const say = (minutes, inAnyCase) => {
    const over = minutes <= 0;
    const time = minutes === 1 ? "1 minute" : `${minutes} minutes`;
    const title = over ? "You have been signed out" : `You will be signed out in ${time}`;
    if (heading.textContent === title) return;
    heading.textContent = title;
    button.hidden = over || inAnyCase;
    text.textContent =
      over || inAnyCase
        ? "Send what you typed: you are asked to sign in again, and it is kept."
        : "Nothing was opened or sent for some time. What you typed stays on this page.";
  };
  return { dialog, say };
}

// What the register of an event has not sent yet is on this device alone, and is erased at sign-out.
document.querySelector('form[action$="/sign-out"]')?.addEventListener("submit", (event) => {
  const kept = keptByRegisters();
  const question = "What you noted in the register and could not send yet is erased. Sign out all the same?";
  if (kept.length && !confirm(question)) return event.preventDefault();
  for (const name of kept) localStorage.removeItem(name);
});

function keptByRegisters() {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith("portal-register:"));
  } catch {
    return []; // the browser keeps nothing for this site
  }
}

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
