// Small pictures in lists. One that is not made yet, because others are being made, arrives two
// pixels wide, with the icon below it in sight: ask for it again, each time after a longer wait.

const NOT_YET = 2;
const ATTEMPTS = 5;
const WAIT_MS = 2000;
const PICTURES = ".thumb > img";

const waiting = new WeakSet();

function check(image) {
  const attempt = Number(image.dataset.attempt ?? 0) + 1;
  if (image.naturalWidth !== NOT_YET || attempt > ATTEMPTS || waiting.has(image)) return;
  waiting.add(image);
  setTimeout(() => {
    waiting.delete(image);
    image.dataset.attempt = attempt;
    // With another address, because browsers show one picture of an address on a page.
    const address = new URL(image.src);
    address.searchParams.set("attempt", attempt);
    image.src = address;
  }, WAIT_MS * attempt);
}

// Also those of rows that come later.
document.addEventListener("load", ({ target }) => {
  if (target.matches?.(PICTURES)) check(target);
}, true);
for (const image of document.querySelectorAll(PICTURES)) {
  if (image.complete) check(image);
}
