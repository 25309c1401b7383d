// Outputs of notebooks choose their dark form by JupyterLab's attribute of the body; here it follows the theme of the page.
const body = document.body;
const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => {
  const theme = body.dataset.theme || "auto";
  const dark = theme === "dark" || (theme === "auto" && darkSystem.matches);
  body.dataset.jpThemeLight = String(!dark);
};
new MutationObserver(follow).observe(body, { attributes: true, attributeFilter: ["data-theme"] });
darkSystem.addEventListener("change", follow);
follow();
