// The screens of a running exercise ask what is new; without this file, Reload does. What is new is put into the
// page part by part, and never into a form in which somebody has typed: that is kept, also over a reload.
const screen = document.getElementById("screen");
const told = document.getElementById("connection");
const tabs = new BroadcastChannel("portal-sign-in");
const KEPT = `exercise:${location.pathname}:`;
const SHORTEST_WAIT = 10; // seconds after which a question without an answer is given up
let tag = `W/"${screen.dataset.tag}"`;
let lostSince = null;
let usedAt = Date.now();

for (const link of document.querySelectorAll("[data-reload]")) link.hidden = true;
keepDrafts(document);
forgetSentDrafts();
setTimeout(ask, Number(screen.dataset.every));
document.addEventListener("visibilitychange", () => document.hidden || ask.soon?.());
window.addEventListener("online", () => ask.soon?.());

async function ask() {
  let next = Number(screen.dataset.every);
  try {
    const answer = await fetch(location.pathname, {
      cache: "no-store",
      headers: { "If-None-Match": tag },
      redirect: "manual",
      signal: AbortSignal.timeout(SHORTEST_WAIT * 1000),
    });
    next = await take(answer, next);
  } catch {
    lose();
  }
  if (next) await new Promise((done) => {
    const timer = setTimeout(done, next);
    ask.soon = () => (clearTimeout(timer), done());
  }).then(() => setTimeout(ask));
}

// What an answer says is shown; returns in how many milliseconds to ask again, or nothing where it is over.
async function take(answer, next) {
  if (answer.status === 401) return say(screen.dataset.out);
  if (answer.status === 403 || answer.status === 404) return say(screen.dataset.gone);
  if (answer.status !== 304 && !answer.ok) {
    lose(); // busy, or being upgraded
    return 3 * next;
  }
  if (lostSince !== null) say(screen.dataset.back);
  lostSince = null;
  if (Date.now() - usedAt > 60000) {
    usedAt = Date.now();
    tabs.postMessage("used"); // the sign-in goes on while the screen asks
  }
  showClock(Number(answer.headers.get("Exercise-Clock")));
  if (answer.status === 304) return next;
  tag = answer.headers.get("ETag");
  show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  return next;
}

function lose() {
  if (lostSince !== null) return;
  lostSince = new Date();
  const time = lostSince.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  say(screen.dataset.lost.replace("{time}", time));
}

function say(words) {
  told.textContent = words;
}

function showClock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const words = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  for (const place of document.querySelectorAll("[data-clock]")) {
    if (place.textContent !== words) place.textContent = words;
  }
}

function show(fresh) {
  document.title = fresh.title;
  for (const part of screen.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (next) put(part, next);
  }
  for (const list of screen.querySelectorAll("[data-live-list]")) {
    const next = fresh.getElementById(list.id);
    for (const item of [...list.children]) if (!fresh.getElementById(item.id)) item.remove();
    [...next.children].forEach((item, place) => {
      const there = document.getElementById(item.id);
      if (there) put(there, item);
      else {
        list.insertBefore(item, list.children[place] ?? null);
        keepDrafts(item);
      }
    });
  }
}

// One part takes the place of another where they differ in what is read; folds stay as they were.
function put(there, next) {
  if (outline(there) === outline(next) || isInUse(there)) return;
  const open = [...there.querySelectorAll("details[open][id]")].map((fold) => fold.id);
  there.replaceChildren(...next.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const link of there.querySelectorAll("[data-reload]")) link.hidden = true;
  keepDrafts(there);
}

function outline(part) {
  const copy = part.cloneNode(true);
  for (const hidden of copy.querySelectorAll("input[type=hidden]")) hidden.remove();
  for (const fold of copy.querySelectorAll("details")) fold.removeAttribute("open");
  for (const place of copy.querySelectorAll("[data-clock]")) place.textContent = "";
  for (const link of copy.querySelectorAll("[data-reload]")) link.removeAttribute("hidden");
  return copy.innerHTML;
}

// Whoever has the focus in a form of this part, or has typed there, is not disturbed.
function isInUse(part) {
  const forms = [...part.querySelectorAll("form[data-draft]")];
  return forms.some((form) => form.contains(document.activeElement) || form.dataset.typed);
}

function keepDrafts(part) {
  for (const form of part.querySelectorAll("form[data-draft]")) {
    const place = KEPT + form.dataset.draft;
    restore(form, sessionStorage.getItem(place));
    form.addEventListener("input", () => {
      form.dataset.typed = "yes";
      store(place, new FormData(form));
    });
    form.addEventListener("submit", (event) => send(event, form, place));
  }
}

const OWN = ["csrf_token", "key", "do", "form", "place", "question", "corrects"];

function store(place, data) {
  const typed = [...data].filter(([name]) => !OWN.includes(name));
  try {
    sessionStorage.setItem(place, JSON.stringify(typed));
  } catch {
    // Too long to be kept: it stays in the page.
  }
}

function restore(form, kept) {
  if (!kept) return;
  for (const [name, value] of JSON.parse(kept)) {
    const field = form.elements.namedItem(name);
    if (field && value) field.value = value;
  }
  form.dataset.typed = "yes";
  const fold = form.closest("details");
  if (fold) fold.open = true;
}

// A line to the server is tried before the text leaves the page, so that a lost connection loses nothing.
async function send(event, form, place) {
  const button = event.submitter;
  if (form.dataset.sure) return;
  event.preventDefault();
  const fault = form.querySelector("[data-not-sent]");
  try {
    await fetch("/healthz", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(SHORTEST_WAIT * 1000) });
  } catch {
    fault.textContent = fault.dataset.notSent;
    fault.hidden = false;
    return lose();
  }
  fault.hidden = true;
  form.dataset.sure = "yes";
  sessionStorage.setItem(`${KEPT}sent:${form.elements.namedItem("key").value}`, place);
  form.requestSubmit(button);
}

// What was sent and is on the page needs no draft any more.
function forgetSentDrafts() {
  for (const name of Object.keys(sessionStorage).filter((name) => name.startsWith(`${KEPT}sent:`))) {
    const key = name.slice(`${KEPT}sent:`.length);
    const place = sessionStorage.getItem(name);
    sessionStorage.removeItem(name);
    const refused = document.title.startsWith("Error: ");
    if (!screen.querySelector(`[data-key="${CSS.escape(key)}"]`) && (refused || !place.endsWith(":message"))) continue;
    sessionStorage.removeItem(place);
    for (const form of document.querySelectorAll("form[data-draft]")) {
      if (KEPT + form.dataset.draft !== place) continue;
      form.reset();
      delete form.dataset.typed;
      form.closest("details")?.removeAttribute("open");
    }
  }
}

// Nothing that was typed stays in the browser after its person has signed out.
document.querySelector("form[action$='/sign-out']")?.addEventListener("submit", () => sessionStorage.clear());
