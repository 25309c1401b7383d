// Loaded before the first paint: the theme that was chosen, else that of the operating system or of the frame's page, and
// whether single keys do something.
"use strict";
(function () {
  try {
    const theme = localStorage.getItem("proactive-theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
    if (localStorage.getItem("proactive-keys") === "off") document.documentElement.dataset.keys = "off";
  } catch {
    // Frames may have no storage.
  }
})();
