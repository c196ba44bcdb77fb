// Uploads with a row per file: progress, speed, remaining time and a Stop button. Each file is sent
// in its own request, two at a time, so that a refused file does not affect the others. Without this
// script the drop zone is a plain form. Texts come from the page, in the reader's language.

const AT_ONCE = 2;
const form = document.querySelector("[data-drop]");
const sheet = document.querySelector("[data-going]");
const list = sheet.querySelector("ul");
const summary = sheet.querySelector("[data-summary-line]");
const stopAll = sheet.querySelector("[data-stop-all]");
const clear = sheet.querySelector("[data-clear]");
const texts = sheet.dataset;
const language = document.documentElement.lang;

const waiting = [];
const going = new Set();
let uploaded = 0;
let failed = 0;
let listIsOutdated = false; // the list below may lack uploaded files

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
function bytes(count) {
  const units = ["B", "KB", "MB", "GB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${number.format(unit ? count : Math.round(count))} ${units[unit]}`;
}

function duration(seconds) {
  const [value, unit] = seconds < 90 ? [seconds, "second"] : [seconds / 60, "minute"];
  const style = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 };
  return new Intl.NumberFormat(language, style).format(Math.max(1, value));
}

function makeRow(path) {
  const row = document.getElementById("going").content.firstElementChild.cloneNode(true);
  row.querySelector(".going-name").textContent = path;
  row.querySelector("progress").setAttribute("aria-label", path);
  list.append(row);
  return row;
}

function finish(row, kind, text) {
  row.classList.add(kind);
  row.querySelector(".going-state").textContent = text;
  const bar = row.querySelector("progress");
  bar.value = kind === "done" ? bar.max : 0;
  row.querySelector("button")?.remove();
}

// Uploads that can still be stopped: once the server has the whole file, it stores it.
const unsent = () => [...going].filter((job) => !job.sent);

function showSummary() {
  const parts = [];
  if (uploaded + failed) parts.push(fill(texts.summary, { uploaded, failed }));
  if (waiting.length) parts.push(fill(texts.waiting, { count: waiting.length }));
  summary.textContent = parts.join(" · ");
  stopAll.hidden = !waiting.length && !unsent().length;
  clear.hidden = going.size + waiting.length > 0;
}

// The speed is that of the last four seconds, not the average of the whole upload.
function watch(job) {
  const samples = [[performance.now(), 0]];
  const state = job.row.querySelector(".going-state");
  const bar = job.row.querySelector("progress");
  job.request.upload.addEventListener("progress", (event) => {
    const now = performance.now();
    samples.push([now, event.loaded]);
    while (samples.length > 2 && now - samples[0][0] > 4000) samples.shift();
    const seconds = (now - samples[0][0]) / 1000;
    const speed = seconds ? (event.loaded - samples[0][1]) / seconds : 0;
    bar.max = event.total;
    bar.value = event.loaded;
    if (speed && event.loaded < event.total) {
      state.textContent = fill(texts.goingOn, {
        done: bytes(event.loaded),
        total: bytes(event.total),
        speed: bytes(speed),
        left: duration((event.total - event.loaded) / speed),
      });
    }
  });
  job.request.upload.addEventListener("load", () => {
    job.sent = true;
    state.textContent = texts.checking;
    job.row.querySelector("button").remove();
    showSummary();
  });
}

// After the whole file was sent, only the list shows whether it was stored.
const connectionLost = (job) => (job.sent ? texts.unsure : texts.broken);

// Returns why the file was refused, or "". The names in the JSON are used by older pages too.
function problemOf(job) {
  const { request } = job;
  if (request.status === 401) return texts.signedOut;
  let response = {};
  try {
    response = JSON.parse(request.responseText);
  } catch {
    return connectionLost(job);
  }
  const file = response.files?.[0];
  if (file?.kept) {
    job.notes = file.notes;
    return "";
  }
  return file?.problem ?? response.error ?? response.message ?? connectionLost(job);
}

function end(job, problem) {
  going.delete(job);
  if (problem) failed += 1;
  else uploaded += 1;
  listIsOutdated ||= !problem || problem === texts.unsure;
  const text = problem || [texts.done, ...(job.notes ?? [])].join(" · ");
  finish(job.row, problem ? "failed" : "done", text);
  next();
}

function start({ file, path }) {
  const row = makeRow(path);
  if (file.size > Number(form.dataset.most)) {
    failed += 1;
    finish(row, "failed", texts.tooLarge);
    return;
  }
  const request = new XMLHttpRequest();
  const job = { row, request, sent: false };
  going.add(job);
  row.querySelector("button").addEventListener("click", () => request.abort());
  watch(job);
  request.addEventListener("load", () => end(job, problemOf(job)));
  request.addEventListener("error", () => end(job, connectionLost(job)));
  request.addEventListener("abort", () => end(job, texts.stopped));
  const body = new FormData();
  // A field called folder keeps the path, one called file the name alone.
  body.append(path.includes("/") ? "folder" : "file", file, path);
  if (form.elements.into) body.append("into", form.elements.into.value);
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", form.elements.csrf_token.value);
  request.send(body);
}

function next() {
  while (going.size < AT_ONCE && waiting.length) start(waiting.shift());
  showSummary();
  if (!going.size && listIsOutdated) refresh();
}

// The URL of a link or button, which is the same in the refreshed list.
const target = (element) => element?.getAttribute("formaction") ?? element?.getAttribute("href");

// Replace the content of an element; the focus stays on the same link or button.
function replaceContent(old, fresh) {
  const focused = old.contains(document.activeElement) && target(document.activeElement);
  old.replaceChildren(...document.importNode(fresh, true).childNodes);
  if (!focused) return;
  const same = Array.from(old.querySelectorAll("a, button")).find((one) => target(one) === focused);
  same?.focus({ preventScroll: true });
}

// Load the page again and replace the list and its totals.
async function refresh() {
  listIsOutdated = false;
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
  if (!found.length) return;
  waiting.push(...found);
  sheet.hidden = false;
  next();
}

const chosen = (input) =>
  Array.from(input.files, (file) => ({ file, path: file.webkitRelativePath || file.name }));

// Collect the files of a dropped folder; readEntries returns at most 100 entries at a time.
async function walk(entry, above = "") {
  const path = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const one of some) found.push(...(await walk(one, `${path}/`)));
  }
}

async function dropped(transfer) {
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
    try {
      add(await walk(entry));
    } catch {
      failed += 1;
      sheet.hidden = false;
      finish(makeRow(entry.name), "failed", texts.unreadable);
      showSummary();
    }
  }
}

form.querySelector("[data-without-script]").hidden = true;
form.querySelector("[data-with-script]").hidden = false;
for (const button of form.querySelectorAll("[data-choose]")) {
  const input = document.getElementById(button.dataset.choose);
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    add(chosen(input));
    input.value = "";
  });
}
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("a[href='#upload']")) return;
  event.preventDefault();
  document.getElementById("file").click();
});

// Handle drops on the whole page: otherwise the browser would open the file and leave the page.
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    form.classList.toggle("over", name === "dragover");
    if (name === "drop") dropped(event.dataTransfer);
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) form.classList.remove("over");
});

stopAll.addEventListener("click", () => {
  failed += waiting.length;
  waiting.length = 0;
  for (const job of unsent()) job.request.abort();
});
clear.addEventListener("click", () => {
  list.replaceChildren();
  uploaded = 0;
  failed = 0;
  sheet.hidden = true;
});
window.addEventListener("beforeunload", (event) => {
  if (going.size + waiting.length) event.preventDefault();
});
