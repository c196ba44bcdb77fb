// For every page: move the focus to error messages, mark rows, copy text, show passwords. Pages work
// without this script.

document.querySelector("[data-focus]")?.focus();

// After an action the next Tab goes to what its notice offers, such as Undo. The notice has the focus
// for a moment only: nothing is read twice, and keys act on the page.
const offer = document.querySelector("[data-once]:has(button, a)");
if (offer && document.activeElement === document.body && !location.hash) {
  offer.tabIndex = -1;
  offer.focus({ preventScroll: true });
  offer.blur();
  offer.removeAttribute("tabindex");
}

// The row of a list that a notice is about, such as a city that was saved, is marked.
for (const link of document.querySelectorAll(".notice a[href]")) {
  const path = CSS.escape(link.getAttribute("href"));
  document.querySelector(`tbody .main a[href="${path}"]`)?.closest("tr").classList.add("marked");
}

// <button data-copy="id" data-copied="Copied" hidden>Copy</button> copies the text of #id.
// The clipboard is only available on https and localhost; elsewhere the text is selected, so that
// the person can copy it.
async function copyText(button, label) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    return;
  }
  button.textContent = button.dataset.copied;
  setTimeout(() => {
    button.textContent = label;
  }, 2000);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", () => copyText(button, label));
}

// <button data-show-password="id" aria-pressed="false"> shows what is typed into #id. It is sent as a
// password again: browsers remember what is in other fields, and offer it to whoever comes next.
function showPassword(button, shown) {
  document.getElementById(button.dataset.showPassword).type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
}

for (const button of document.querySelectorAll("[data-show-password]")) {
  button.addEventListener("click", () => {
    showPassword(button, button.getAttribute("aria-pressed") === "false");
  });
  button.closest("form").addEventListener("submit", () => showPassword(button, false));
}
