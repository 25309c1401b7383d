// The list of jobs: the search runs while the user types, and choices need no button.
import { refresh } from "./portal.js";

const form = document.getElementById("filter");
for (const button of form.querySelectorAll("[data-without-script]")) button.hidden = true;

const wanted = () => {
  const at = new URL(form.action);
  for (const [name, value] of new FormData(form)) if (value.trim()) at.searchParams.set(name, value.trim());
  return at;
};

let timer = 0;
const search = () => {
  clearTimeout(timer);
  const at = wanted();
  if (at.href === location.href) return;
  // The address is that of what is shown, for reloading, for a bookmark and for the way back from a job.
  history.replaceState(null, "", at);
  refresh(["status", "chips", "jobs"]);
};
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, 250);
});
form.addEventListener("change", search);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
