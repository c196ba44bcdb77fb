// One request of an upload: sends some files and says what became of it. It never throws.

// A connection that is gone without a word is noticed by its silence. The server may take a minute
// to store a form.
const SILENT_MS = 120_000;

// The form's fields are read for each request: the token is renewed after a new sign-in.
function bodyOf(form, batch, items) {
  const body = new FormData();
  // Fields come first: the server reads a form in its order.
  body.append("batch", batch.key);
  body.append("files", batch.files);
  body.append("bytes", batch.bytes);
  const into = form.elements.into?.value;
  if (into) body.append("into", into);
  for (const { file, path } of items) {
    // A field called folder keeps the path, one called file the name alone.
    body.append(path.includes("/") ? "folder" : "file", file, path);
  }
  return body;
}

function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

// Retry-After in seconds; the server never sends a date.
const waitOf = (request) => Number(request.getResponseHeader("Retry-After")) || 0;

function outcomeOf(request) {
  const { message, error, files } = parse(request.responseText);
  if (Array.isArray(files) && files.length) return { kind: "answered", files };
  const { status } = request;
  return { kind: "refused", status, problem: error ?? message ?? "", wait: waitOf(request) };
}

// `batch` has the key, and of how many files and bytes the whole is.
// Returns {items, sent, stop(), outcome}. `sent` are bytes of these files that have left; once all
// have, the server stores them and nothing can be stopped. The outcome is a promise of:
//   {kind: "answered", files}                   one entry for each file, in their order
//   {kind: "refused", status, problem, wait}    nothing was stored
//   {kind: "lost"}                              perhaps stored, perhaps not
//   {kind: "aborted"}                           nothing was stored
export function send(form, batch, items) {
  const request = new XMLHttpRequest();
  const bytes = items.reduce((sum, { file }) => sum + file.size, 0);
  const job = { items, bytes, sent: 0, complete: false, stop: () => request.abort() };
  job.outcome = new Promise((resolve) => {
    let silence;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => end({ kind: "lost" }), SILENT_MS);
    };
    const end = (outcome) => {
      clearTimeout(silence);
      resolve(outcome); // the first one counts
      if (request.readyState !== XMLHttpRequest.DONE) request.abort();
    };
    request.upload.addEventListener("progress", (event) => {
      heard();
      // The event counts the form around the files too.
      job.sent = event.total ? Math.round((bytes * event.loaded) / event.total) : 0;
    });
    request.upload.addEventListener("load", () => {
      heard();
      job.sent = bytes;
      job.complete = true;
    });
    request.addEventListener("load", () => end(outcomeOf(request)));
    request.addEventListener("error", () => end({ kind: "lost" }));
    request.addEventListener("abort", () => end({ kind: "aborted" }));
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", form.elements.csrf_token.value);
    request.send(bodyOf(form, batch, items));
    heard();
  });
  return job;
}

// Say that no more files of a batch will come, also while the page is being left. Without it the
// server notices after a while.
export function end(form, key) {
  const headers = { "X-CSRFToken": form.elements.csrf_token.value };
  const body = new URLSearchParams({ batch: key });
  fetch(form.dataset.end, { method: "POST", headers, body, keepalive: true }).catch(() => {});
}

// A file that was moved, changed or locked since it was chosen: the browser then reports a broken
// connection for the whole request.
export async function isReadable({ file }) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

// After a new sign-in: the form's signature and token on the page as it is now. Returns false if
// nobody is signed in, and throws if the server does not answer.
export async function renew(form) {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector("form[data-drop]");
  if (!response.ok || response.redirected || !fresh) return false;
  form.action = new URL(fresh.getAttribute("action"), location.href);
  form.elements.csrf_token.value = fresh.elements.csrf_token.value;
  return true;
}
