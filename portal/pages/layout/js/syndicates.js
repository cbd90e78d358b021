// People are dragged from one syndicate to another, or follow their list when it is changed. Saving sends the
// lists, which say the same without this file.
const sections = [...document.querySelectorAll("[data-syndicate]")];
let dragged = null;

for (const person of document.querySelectorAll("[data-person]")) {
  const list = person.querySelector("select");
  person.draggable = true;
  person.style.cursor = "grab";
  person.addEventListener("dragstart", (event) => {
    dragged = person;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
  });
  person.addEventListener("dragend", () => {
    dragged = null;
  });
  list.addEventListener("change", () => {
    put(person, sections.find((section) => section.dataset.syndicate === list.value));
    list.focus();
  });
}

for (const section of sections) {
  section.addEventListener("dragover", (event) => {
    if (dragged) event.preventDefault();
  });
  section.addEventListener("drop", (event) => {
    if (!dragged) return;
    event.preventDefault();
    put(dragged, section);
  });
}

function put(person, section) {
  section.append(person);
  person.querySelector("select").value = section.dataset.syndicate;
  for (const each of sections) {
    const people = each.querySelectorAll("[data-person]").length;
    each.querySelector("[data-count]").textContent = people === 1 ? "1 person" : `${people} people`;
  }
}
