// The page of a file. If a picture cannot be shown, say why in its place; while others are being
// made, try again. A document in a frame shows that it has the focus.

const ATTEMPTS = 5;
const picture = document.querySelector("[data-picture]");
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

// No selector matches a frame whose content got the focus by Tab.
if (frame) {
  for (const name of ["blur", "focus"]) {
    window.addEventListener(name, () => {
      frame.classList.toggle("focused", document.activeElement === frame);
    });
  }
}
