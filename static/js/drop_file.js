// A file that is dropped anywhere on the page is chosen in the form with data-drop-file; without
// this script the browser would leave the page and show the file.

const form = document.querySelector("form[data-drop-file]");
const input = form?.querySelector("input[type=file]");

function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files");
}

if (input) {
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    form.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) form.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    form.classList.remove("dropping");
    const [file] = event.dataTransfer.files;
    if (!file) return;
    const chosen = new DataTransfer();
    chosen.items.add(file);
    input.files = chosen.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  });
}
