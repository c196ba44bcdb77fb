// The page of a file. If a picture, audio or video cannot be shown, say why in its place; while other
// pictures are being made, try again. A document in a frame shows that it has the focus; if the frame
// says why it is not shown, there is nothing to open in a new tab.

const ATTEMPTS = 5;
const picture = document.querySelector("[data-picture]");
const media = document.querySelector("[data-unplayable]");
const frame = document.querySelector("iframe.preview");

function say(text) {
  const sentence = document.createElement("p");
  sentence.textContent = text;
  sentence.setAttribute("role", "status");
  picture.parentElement.classList.add("none");
  picture.replaceWith(sentence);
}

async function explain(attempt) {
  let response;
  try {
    response = await fetch(picture.src, { headers: { Accept: "application/json" } });
  } catch {
    return; // the browser shows the text of the picture
  }
  if (response.ok) {
    picture.src = picture.src;
  } else if (response.status === 503 && attempt < ATTEMPTS) {
    const seconds = Number(response.headers.get("Retry-After")) || 2;
    setTimeout(() => explain(attempt + 1), seconds * 1000);
  } else {
    say((await response.json()).error);
  }
}

if (picture) {
  picture.addEventListener("error", () => explain(1), { once: true });
  if (picture.complete && picture.naturalWidth === 0) explain(1);
}

function sayUnplayable() {
  const sentence = document.createElement("p");
  sentence.textContent = media.dataset.unplayable;
  sentence.setAttribute("role", "status");
  if (!media.matches(".preview")) return media.replaceWith(sentence);
  const box = document.createElement("div");
  box.className = media.className;
  box.append(sentence);
  media.replaceWith(box);
}

if (media) {
  media.addEventListener("error", sayUnplayable, { once: true });
  if (media.error) sayUnplayable();
}

// A page in the frame, instead of a document, says why. The link leaves its place empty.
function checkFrame() {
  if (frame.contentDocument?.querySelector(".preview.none, .error-page")) {
    document.querySelector("[data-new-tab]").style.visibility = "hidden";
  }
}

if (frame) {
  frame.addEventListener("load", checkFrame);
  checkFrame();
}

// No selector matches a frame whose content got the focus by Tab.
if (frame) {
  for (const name of ["blur", "focus"]) {
    window.addEventListener(name, () => {
      frame.classList.toggle("focused", document.activeElement === frame);
    });
  }
}
