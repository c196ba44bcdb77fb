// While a job on the page is active, its part of the page, [data-live], is read again every two
// seconds. It ends with the last job, when the session ends, and pauses while nobody looks. A part
// with [data-follow] shows a job that leads to another page, which is opened when that is there.

const SECONDS = 2;
const live = document.querySelector("[data-live]");

async function update() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  const isFollowed = live.hasAttribute("data-follow");
  if (isFollowed && response.redirected) return location.assign(response.url);
  const isOver = response.redirected || [401, 403, 404].includes(response.status);
  if (isOver) live.removeAttribute("data-active");
  if (isOver || !response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const next = page.getElementById(live.id);
  if (!next && isFollowed) return location.reload();
  if (!next) return;
  for (const count of document.querySelectorAll("[data-count]")) {
    const now = page.querySelector(`[data-count="${count.dataset.count}"]`);
    if (now) count.textContent = now.textContent;
  }
  live.toggleAttribute("data-active", next.hasAttribute("data-active"));
  // What has the focus, or is selected, is not replaced while the job goes on.
  const isUsed = live.contains(document.activeElement) || !getSelection().isCollapsed;
  if (isUsed && live.hasAttribute("data-active")) return;
  live.replaceChildren(...next.childNodes);
}

async function repeat() {
  while (live.hasAttribute("data-active")) {
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
    if (document.hidden) continue;
    try {
      await update();
    } catch {
      // The server is away for a moment.
    }
  }
}

if (live) repeat();
