// Uploads from the page: choosing and dropping files and folders, and refreshing the list when
// they are there. upload_queue.js sends them, upload_panel.js shows it. Without this script the
// drop zone is a plain form.

import { Panel } from "./upload_panel.js";
import { Queue } from "./upload_queue.js";

const form = document.querySelector("[data-drop]");
const element = document.querySelector("[data-panel]");
const texts = element.dataset;
const queue = new Queue(form, texts, changed);
const panel = new Panel(element, form, queue);
let listed = 0; // requests whose files the list may show

function changed() {
  panel.show();
  if (queue.isActive || queue.requests === listed) return;
  listed = queue.requests;
  queue.end();
  refresh();
}

// The URL of a link or button, which is the same in the refreshed list.
const target = (element) => element?.getAttribute("formaction") ?? element?.getAttribute("href");

// Replace the content of an element; the same rows stay selected, and the focus stays on the same
// link or button.
function replaceContent(old, fresh) {
  const focused = old.contains(document.activeElement) && target(document.activeElement);
  const selected = Array.from(old.querySelectorAll("tbody .pick-row input:checked"));
  old.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const { name, value } of selected) {
    const box = old.querySelector(`tbody .pick-row input[name="${name}"][value="${value}"]`);
    if (box) box.checked = true;
  }
  old.dispatchEvent(new Event("change", { bubbles: true })); // selection.js counts them
  if (!focused) return;
  const same = Array.from(old.querySelectorAll("a, button")).find((one) => target(one) === focused);
  same?.focus({ preventScroll: true });
}

// Load the page again and replace the list and its totals.
async function refresh() {
  const asked = fetch(location.href, { headers: { Accept: "text/html" } });
  const response = await asked.catch(() => null); // connection lost: the list stays as it is
  if (!response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const old of document.querySelectorAll("[data-fresh]")) {
    const fresh = page.querySelector(`[data-fresh="${old.dataset.fresh}"]`);
    if (fresh) replaceContent(old, fresh);
  }
}

function add(found) {
  if (found.length) queue.add(found);
}

const chosen = (input) =>
  Array.from(input.files, (file) => ({ file, path: file.webkitRelativePath || file.name }));

// All entries of a dropped folder; readEntries returns at most 100 at a time.
async function entriesOf(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    found.push(...some);
  }
}

// Add the files of a dropped folder, one folder after another; returns how many entries it has that
// are no folders. What cannot be read is a failure.
async function addFolder(folder, path) {
  let entries;
  try {
    entries = await entriesOf(folder);
  } catch {
    queue.addUnreadable(path, texts.unreadableFolder);
    return 1;
  }
  const files = entries.filter((entry) => entry.isFile);
  const read = await Promise.allSettled(
    files.map((entry) => new Promise((resolve, reject) => entry.file(resolve, reject))),
  );
  const found = [];
  read.forEach(({ value }, index) => {
    const filePath = `${path}/${files[index].name}`;
    if (value) found.push({ file: value, path: filePath });
    else queue.addUnreadable(filePath, texts.unreadable);
  });
  add(found);
  let count = files.length;
  for (const entry of entries.filter((entry) => entry.isDirectory)) {
    count += await addFolder(entry, `${path}/${entry.name}`);
  }
  return count;
}

async function dropped(transfer) {
  queue.begin();
  // Read everything at once: the browser clears the transfer after the first await.
  const items = Array.from(transfer.items).filter((item) => item.kind === "file");
  const folderOf = (item) => {
    const entry = item.webkitGetAsEntry?.();
    return entry?.isDirectory ? entry : null;
  };
  const folders = items.map(folderOf);
  const files = items.filter((_, index) => !folders[index]).map((item) => item.getAsFile());
  add(files.filter(Boolean).map((file) => ({ file, path: file.name })));
  for (const entry of folders.filter(Boolean)) {
    if (!(await addFolder(entry, entry.name))) queue.addUnreadable(entry.name, texts.emptyFolder);
  }
}

// For browsers that do not know @media (scripting).
form.classList.add("scripted");
for (const button of form.querySelectorAll("[data-choose]")) {
  const input = document.getElementById(button.dataset.choose);
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    queue.begin();
    add(chosen(input));
    input.value = "";
  });
}
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("a[href='#upload']")) return;
  event.preventDefault();
  document.getElementById("file").click();
});

function highlight(on) {
  for (const zone of [form, element]) zone.classList.toggle("over", on);
}

// Handle drops on the whole page: otherwise the browser would open the file and leave the page.
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    highlight(name === "dragover");
    if (name === "drop") dropped(event.dataTransfer);
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) highlight(false);
});

window.addEventListener("online", () => queue.reconnect());
window.addEventListener("pagehide", () => queue.isActive && queue.end());
window.addEventListener("beforeunload", (event) => {
  if (queue.isActive) event.preventDefault();
});
