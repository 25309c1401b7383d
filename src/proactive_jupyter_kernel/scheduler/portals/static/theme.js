// Loaded before the first paint: the theme that was chosen, else that of the operating system.
"use strict";
(function () {
  try {
    const theme = localStorage.getItem("proactive-theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch {
    // Frames may have no storage.
  }
})();
