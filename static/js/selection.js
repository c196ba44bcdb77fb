// Lists with a checkbox in each row: one in the head selects all rows of the page, and the bar says
// how many are selected. Without this script the head has no checkbox. The list may be replaced by
// upload.js, so the listeners are on its container.

const list = document.querySelector("[data-selectable]");

function show() {
  const rows = [...list.querySelectorAll("tbody .pick-row input")];
  const all = list.querySelector("thead .pick-row input");
  if (!all) return;
  const count = rows.filter((box) => box.checked).length;
  all.checked = count === rows.length;
  all.indeterminate = count > 0 && !all.checked;
  const text = count ? list.dataset.selectable.replace("{n}", count) : "";
  list.querySelector(".selection > span").textContent = text;
  list.querySelector("[role=status]").textContent = text;
}

if (list) {
  list.addEventListener("change", ({ target }) => {
    if (target.matches("thead .pick-row input")) {
      for (const box of list.querySelectorAll("tbody .pick-row input")) box.checked = target.checked;
    }
    show();
  });
  list.classList.add("selectable");
  // Browsers check the boxes again when somebody comes back.
  window.addEventListener("pageshow", show);
}
