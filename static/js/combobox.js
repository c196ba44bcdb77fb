// A text field that suggests values while one types: an editable combobox with a list, as in the
// ARIA Authoring Practices. <div data-combobox="URL"> has an <input>; URL?q=text answers
// {"...": [names]}. A chosen name sends the form. Without this script the field is a plain one.

const TYPED_FOR = 150; // ms without a key before the server is asked

function makeOption(name, number, list) {
  const option = document.createElement("li");
  option.id = `${list.id}-${number}`;
  option.role = "option";
  option.textContent = name;
  option.ariaSelected = "false";
  return option;
}

function enhance(box) {
  const input = box.querySelector("input");
  const list = document.createElement("ul");
  list.id = `${input.name}-suggestions`;
  list.role = "listbox";
  list.hidden = true;
  list.className = "combo-list";
  list.ariaLabel = input.ariaLabel;
  box.append(list);
  input.role = "combobox";
  input.autocomplete = "off";
  input.ariaAutoComplete = "list";
  input.ariaExpanded = "false";
  input.setAttribute("aria-controls", list.id);
  let active = -1;
  let timer;
  let asked = new AbortController();

  function activate(number) {
    const options = list.children;
    if (options[active]) options[active].ariaSelected = "false";
    active = number;
    input.removeAttribute("aria-activedescendant");
    if (!options[active]) return;
    options[active].ariaSelected = "true";
    options[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[active].id);
  }

  function close() {
    clearTimeout(timer);
    asked.abort();
    activate(-1);
    list.hidden = true;
    input.ariaExpanded = "false";
  }

  function open(names) {
    activate(-1);
    list.replaceChildren(...names.map((name, number) => makeOption(name, number, list)));
    list.hidden = names.length === 0;
    input.ariaExpanded = String(!list.hidden);
  }

  // Without an answer there are no suggestions; the form can still be sent.
  async function suggest(then) {
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    const url = `${box.dataset.combobox}?${new URLSearchParams({ q: input.value.trim() })}`;
    try {
      const response = await fetch(url, { signal, headers: { Accept: "application/json" } });
      if (!response.ok) return;
      const names = Object.values(await response.json())[0];
      if (signal.aborted) return;
      open(names);
      then?.();
    } catch {
      // See above.
    }
  }

  function choose(option) {
    input.value = option.textContent;
    close();
    input.form.requestSubmit();
  }

  function step(by) {
    const count = list.children.length;
    if (list.hidden) suggest(() => activate(by > 0 ? 0 : list.children.length - 1));
    else if (count) activate((active + by + (active < 0 && by < 0 ? 1 : 0) + count) % count);
  }

  const keys = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Escape: () => {
      if (list.hidden) input.value = "";
      close();
    },
    Enter: () => choose(list.children[active]),
  };

  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!(event.key in keys) || (event.key === "Enter" && active < 0)) return;
    event.preventDefault();
    keys[event.key]();
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, TYPED_FOR);
  });
  input.addEventListener("click", () => {
    if (list.hidden) suggest();
  });
  input.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
}

document.querySelectorAll("[data-combobox]").forEach(enhance);
