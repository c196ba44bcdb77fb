// Keyboard shortcuts of single keys. They are inactive while a field has the focus, with Ctrl, Alt
// or Meta, or if the person has turned them off in this browser (WCAG 2.1.4).

const SETTING = "gazetteer.keys";
const dialog = document.getElementById("keys");
const checkbox = document.getElementById("keys-on");

// The browser may forbid storage; shortcuts then work, and the choice is not stored.
function readSetting() {
  try {
    return localStorage.getItem(SETTING) !== "off";
  } catch {
    return true;
  }
}

function writeSetting(on) {
  try {
    localStorage.setItem(SETTING, on ? "on" : "off");
  } catch {
    // See above.
  }
}

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]") !== null;
}

// The first link of a row opens it.
function rowLinks() {
  const rows = document.querySelectorAll(".sheet tbody tr");
  return Array.from(rows, (row) => row.querySelector("a[href]")).filter(Boolean);
}

function moveInList(step) {
  const links = rowLinks();
  const row = document.activeElement.closest(".sheet tbody tr");
  const now = links.findIndex((link) => link.closest("tr") === row);
  const next = now < 0 ? 0 : Math.min(Math.max(now + step, 0), links.length - 1);
  links[next]?.focus();
  links[next]?.scrollIntoView({ block: "nearest" });
}

// Only the shortcuts that do something on this page.
function showList() {
  for (const each of dialog.querySelectorAll("[data-needs]")) {
    each.hidden = !document.querySelector(each.dataset.needs);
  }
  dialog.showModal();
}

const actions = {
  "/": () => {
    const box = document.querySelector("input[type=search]");
    if (!box) document.querySelector("[data-search]")?.click();
    box?.focus();
    box?.select();
  },
  n: () => document.querySelector("[data-key-new]")?.click(),
  j: () => moveInList(1),
  k: () => moveInList(-1),
  a: () => document.querySelector("[data-key-actions] button")?.focus(),
  "?": showList,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (dialog.open || !checkbox.checked || isTyping(event.target)) return;
  if (!Object.hasOwn(actions, event.key)) return;
  event.preventDefault();
  actions[event.key]();
});

checkbox.checked = readSetting();
checkbox.addEventListener("change", () => writeSetting(checkbox.checked));
dialog.querySelector("[data-keys-close]").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  // The target is the dialog itself only for clicks on the backdrop.
  if (event.target === dialog) dialog.close();
});
for (const button of document.querySelectorAll("[data-keys-open]")) {
  button.addEventListener("click", showList);
}
