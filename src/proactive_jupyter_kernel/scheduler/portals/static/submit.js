// The form of a workflow: files by choice or drop, checks while the user types, Ctrl+Enter. The page works without it.

import { checkWhileTyping, showErrors } from "./form_checks.js";
import { merge, say } from "./portal.js";

const root = document.documentElement;
root.classList.add("scripted");

// --- the file ------------------------------------------------------------------------------------------------------

const open = document.getElementById("open");
const file = document.getElementById("file");
document.getElementById("open-button").hidden = true;
file.addEventListener("change", () => file.files.length && open.requestSubmit());

let depth = 0;
const carriesFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
addEventListener("dragenter", (event) => {
  if (!carriesFiles(event)) return;
  depth += 1;
  open.classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!carriesFiles(event)) return;
  depth = Math.max(0, depth - 1);
  if (!depth) open.classList.remove("over");
});
addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  depth = 0;
  open.classList.remove("over");
  if (event.dataTransfer.files.length !== 1) {
    say("Drop one workflow file at a time.");
    return;
  }
  file.files = event.dataTransfer.files;
  open.requestSubmit();
});

// --- checks while the user types -----------------------------------------------------------------------------------

const form = document.getElementById("form");
const panel = document.querySelector('[data-part="checks"]');
const submit = document.getElementById("submit");

/** Show the result of the checks beside each field, and whether the form may be sent. */
function showVerdict() {
  const valid = panel.querySelector("[data-valid]")?.dataset.valid === "yes";
  submit.setAttribute("aria-disabled", String(!valid));
  document.getElementById("blocked").hidden = valid;
  const errors = [...panel.querySelectorAll("[data-error-of]")];
  showErrors(form, new Map(errors.map((each) => [each.dataset.errorOf, each.textContent])));
}

function setOffset() {
  const value = document.getElementById("start_at").value;
  document.getElementById("offset").value = value ? String(-new Date(value).getTimezoneOffset()) : "";
}

/** Whether a control shows another value than the server sent. */
function differs() {
  return [...form.elements].some((each) => {
    if (each.type === "hidden") return false;
    if (each.type === "checkbox") return each.checked !== each.defaultChecked;
    if (each.options) return [...each.options].some((one) => one.defaultSelected && !one.selected);
    return each.defaultValue !== undefined && each.value !== each.defaultValue;
  });
}

if (form) {
  const check = checkWhileTyping(form, {
    prepare: setOffset,
    panel,
    show(text) {
      merge(text);
      showVerdict();
    },
  });
  let sent = false;
  form.addEventListener("submit", (event) => {
    setOffset();
    if (event.submitter !== submit) return;
    // A second click while the answer is awaited would make a second job.
    if (sent) event.preventDefault();
    else if (submit.getAttribute("aria-disabled") === "true") {
      // The button that is not open says why.
      event.preventDefault();
      (form.querySelector("[aria-invalid]") || document.getElementById("check")).focus();
    } else sent = true;
  });
  // Browsers fill in what was typed before the page was left or loaded again: the checks are about other values then.
  addEventListener("pageshow", () => {
    sent = false;
    if (differs()) check();
  });
  document.getElementById("check").addEventListener("click", (event) => {
    event.preventDefault();
    check();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(submit);
    }
  });
  showVerdict();
}
