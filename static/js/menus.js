// Menus are <details data-menu>, which open and close without this script. It closes a menu on
// Escape, on a click elsewhere, and when another opens.

const openMenus = () => document.querySelectorAll("details[data-menu][open]");

for (const name of ["click", "focusin"]) {
  document.addEventListener(name, (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
