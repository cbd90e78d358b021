// Results as one types. Without this file the form's button does the same.
for (const form of document.querySelectorAll("form[data-search]")) {
  const found = document.querySelector(form.dataset.search);
  found.setAttribute("aria-live", "polite");
  let waiting;
  let asked;

  async function look() {
    asked?.abort();
    asked = new AbortController();
    const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    try {
      const answer = await fetch(address, { signal: asked.signal, credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      found.replaceChildren(...page.querySelector(form.dataset.search).childNodes);
      document.querySelector("h1").textContent = page.querySelector("h1").textContent;
      document.title = page.title;
      history.replaceState(null, "", address);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 250);
  });
}
