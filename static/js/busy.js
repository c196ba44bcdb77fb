// A form that was sent says so: after 300 ms its button shows that it works, and above two seconds a
// bar appears at the top. Until the answer comes the same button cannot send it twice; another one
// can, as the rows of a list share a form. After a button whose answer is a download the page stays;
// it has data-download.

const SHOWN_AFTER = 300;
const BAR_AFTER = 2000;
// If no page has come by then, the person may try again.
const GIVEN_UP_AFTER = 60_000;

const status = document.getElementById("busy");
const sent = new Map(); // of each button, or form without one: how to undo what is shown

function show(sender) {
  sender.setAttribute("aria-busy", "true");
  status.firstElementChild.textContent = status.dataset.text;
}

function end(sender) {
  sent.get(sender)?.();
  sent.delete(sender);
}

function begin(sender) {
  const timers = [
    setTimeout(() => show(sender), SHOWN_AFTER),
    setTimeout(() => status.classList.add("moving"), BAR_AFTER),
    setTimeout(() => end(sender), GIVEN_UP_AFTER),
  ];
  sent.set(sender, () => {
    timers.forEach(clearTimeout);
    sender.removeAttribute("aria-busy");
    status.classList.remove("moving");
    status.firstElementChild.textContent = "";
  });
}

function endAll() {
  for (const sender of sent.keys()) end(sender);
}

// On the window, so that it comes after scripts that send a form themselves.
window.addEventListener("submit", (event) => {
  const form = event.target;
  const sender = event.submitter ?? form;
  if (event.defaultPrevented || form.method === "dialog" || form.target || "download" in sender.dataset) return;
  if (sent.has(sender)) {
    event.preventDefault();
    return;
  }
  begin(sender);
});

// Shown again after "Back", the page is as it was left; Escape stops the browser from loading.
window.addEventListener("pageshow", endAll);
window.addEventListener("keydown", (event) => {
  if (event.key === "Escape") endAll();
});
