// A select with data-submits sends its form when another option is chosen. With the arrow keys one
// passes over options: then Enter sends it, or the button.

for (const select of document.querySelectorAll("select[data-submits]")) {
  let key = "";
  select.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && key) select.form.requestSubmit();
    key = event.key === "Enter" ? "" : event.key;
  });
  select.addEventListener("pointerdown", () => {
    key = "";
  });
  select.addEventListener("change", () => {
    if (!key) select.form.requestSubmit();
  });
}
