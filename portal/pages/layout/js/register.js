// The register goes on without a network: what is noted is kept on the device, as opaque numbers and states
// only, shown as not sent, and sent when the network is back. Sent twice is once; what the portal refuses is
// not kept either. Without this file each button sends its form.
const form = document.getElementById("register");
const told = document.getElementById("unsent");
const PREFIX = "portal-register:";
const KIND_WORDS = JSON.parse(form.dataset.words);
const QUIET_AFTER = 15 * 60 * 1000; // a phone that nobody touches asks for nothing more, and is signed out
let sending = false;
let refusal = "";
let dropped = ""; // why entries were not taken that are no longer kept
let touchedAt = Date.now();

if (canKeep()) {
  eraseOthers();
  form.addEventListener("submit", note);
  window.addEventListener("online", send);
  window.addEventListener("storage", show);
  document.addEventListener("visibilitychange", send);
  setInterval(send, 4000);
  show();
  send();
}

// A browser that keeps nothing for this site sends each entry as a form.
function canKeep() {
  try {
    localStorage.setItem(`${PREFIX}try`, "");
    localStorage.removeItem(`${PREFIX}try`);
    return true;
  } catch {
    return false;
  }
}

// What somebody else left on this device, who did not sign out.
function eraseOthers() {
  const own = form.dataset.kept.split(":").slice(0, 2).join(":");
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith(PREFIX) && !name.startsWith(`${own}:`)) localStorage.removeItem(name);
  }
}

function kept() {
  return JSON.parse(localStorage.getItem(form.dataset.kept) ?? "[]");
}

function keep(entries) {
  if (entries.length) localStorage.setItem(form.dataset.kept, JSON.stringify(entries));
  else localStorage.removeItem(form.dataset.kept);
}

function forget(entries) {
  const keys = new Set(entries.map((entry) => entry.key));
  keep(kept().filter((entry) => !keys.has(entry.key)));
}

function note(event) {
  if (event.submitter?.name !== "mark") return;
  event.preventDefault();
  const [id, kind] = event.submitter.value.split(":");
  touchedAt = Date.now();
  refusal = "";
  dropped = "";
  keep([...kept(), { key: newKey(), id, kind, at: Date.now() }]);
  show();
  send();
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send() {
  const entries = kept();
  if (sending || (!entries.length && (document.hidden || Date.now() - touchedAt > QUIET_AFTER))) return;
  sending = true;
  try {
    const answer = await (entries.length ? post(entries) : fetch(form.dataset.states, { redirect: "error" }));
    if (answer.ok) {
      const now = await answer.json();
      forget(entries);
      take(now);
      dropped = now.refused || dropped;
      refusal = "";
    } else if (answer.status === 409) {
      const { refused } = await answer.json(); // a second try would end the same
      forget(entries);
      dropped = `${entriesAre(entries.length, "was", "were")} not taken. ${refused}`;
      refusal = "";
    } else {
      refusal = reasonOf(answer);
    }
  } catch {
    refusal = ""; // no network
  }
  sending = false;
  show();
}

// Entries say how long ago they were noted, because a phone's clock may be wrong.
function post(entries) {
  const now = Date.now();
  const said = entries.map(({ key, id, kind, at }) => ({ key, id, kind, ago: Math.max(0, now - at) }));
  const body = new URLSearchParams({
    csrf_token: form.elements.csrf_token.value,
    entries: JSON.stringify(said),
  });
  return fetch(form.dataset.send, { method: "POST", body, redirect: "error" });
}

function reasonOf(answer) {
  if (answer.status >= 500 || answer.status === 429) return "";
  return "You have been signed out. Open this page again and sign in: they are sent then.";
}

function take(now) {
  for (const [id, words] of Object.entries(now.states)) {
    const place = form.querySelector(`[data-booking="${id}"] [data-state]`);
    if (place) place.dataset.state = words;
  }
  setText(document.getElementById("heads"), now.heads);
}

// What the portal knows, and over it what is not sent yet.
function show() {
  const waiting = new Map(kept().map((entry) => [entry.id, entry.kind]));
  for (const section of form.querySelectorAll("[data-booking]")) {
    const place = section.querySelector("[data-state]");
    place.dataset.state ||= place.textContent;
    const kind = waiting.get(section.dataset.booking);
    setText(place, kind ? `${KIND_WORDS[kind]}, not sent yet` : place.dataset.state);
  }
  const number = kept().length;
  const unsent = number ? `${entriesAre(number)} only on this device, and not sent yet. ${refusal}` : "";
  const words = `${unsent} ${dropped}`.trim();
  told.hidden = !words;
  setText(told, words);
}

function entriesAre(number, one = "is", many = "are") {
  return number === 1 ? `1 entry ${one}` : `${number} entries ${many}`;
}

function setText(place, words) {
  if (place.textContent !== words) place.textContent = words;
}
