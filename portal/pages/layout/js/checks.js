// A self-check answers in place: the page that its form would open is fetched, and the checks that were
// answered are taken from it. Where that fails, the form opens the page as it does without this file.
const form = document.getElementById("self-checks");

for (const place of document.querySelectorAll(".portal-check[id]")) {
  place.setAttribute("aria-live", "polite");
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  const fields = new FormData(form, button);
  const address = `${location.pathname}?${new URLSearchParams(fields)}`;
  const target = button?.getAttribute("formaction") ?? "";
  button?.setAttribute("aria-disabled", "true");
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok || answer.redirected) return location.assign(address + target); // perhaps signed out
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const key of new Set(fields.getAll("checked"))) {
    const place = document.getElementById(`check-${key}-place`);
    const next = fresh.getElementById(`check-${key}-place`);
    if (!place || !next) return location.assign(address + target);
    place.replaceChildren(...next.childNodes);
  }
  history.replaceState(history.state, "", address);
  focusAnswer(document.querySelector(target || "#self-checks"));
});

// The keyboard and a screen reader go on from what is said of the answer.
function focusAnswer(place) {
  const told = [...(place?.querySelectorAll(".portal-feedback, .govuk-error-message") ?? [])];
  const shown = told.find((part) => !part.closest("details"));
  if (!shown) return;
  shown.tabIndex = -1;
  shown.focus();
}
