// What every page has: the focus goes to what must be read first, and texts can be copied. All
// pages work without this file.

document.querySelector("[data-focus]")?.focus();

// <button data-copy="id" data-copied="Copied" hidden>Copy</button> copies the text of #id.
// The clipboard is only there on https and on this machine; elsewhere the text is selected, so
// that the reader's own keys copy it.
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
