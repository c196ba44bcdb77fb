// A form that was sent says so: after 300 ms its button shows that it works, and above two seconds a
// bar appears at the top. Until the answer comes it cannot be sent twice. A form whose answer is a
// download stays on the page, and has data-download.

const SHOWN_AFTER = 300;
const BAR_AFTER = 2000;
// If no page has come by then, the person may try again.
const GIVEN_UP_AFTER = 60_000;

const status = document.getElementById("busy");
const sent = new Map(); // of each form that was sent: how to undo what is shown

function show(button) {
  button?.setAttribute("aria-busy", "true");
  status.firstElementChild.textContent = status.dataset.text;
}

function end(form) {
  sent.get(form)?.();
  sent.delete(form);
}

function begin(form, button) {
  const timers = [
    setTimeout(() => show(button), SHOWN_AFTER),
    setTimeout(() => status.classList.add("moving"), BAR_AFTER),
    setTimeout(() => end(form), GIVEN_UP_AFTER),
  ];
  sent.set(form, () => {
    timers.forEach(clearTimeout);
    button?.removeAttribute("aria-busy");
    status.classList.remove("moving");
    status.firstElementChild.textContent = "";
  });
}

function endAll() {
  for (const form of sent.keys()) end(form);
}

// On the window, so that it comes after scripts that send a form themselves.
window.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || form.target || "download" in form.dataset) return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  begin(form, event.submitter);
});

// Shown again after "Back", the page is as it was left; Escape stops the browser from loading.
window.addEventListener("pageshow", endAll);
window.addEventListener("keydown", (event) => {
  if (event.key === "Escape") endAll();
});
