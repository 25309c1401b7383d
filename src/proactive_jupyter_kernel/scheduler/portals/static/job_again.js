// The form that submits a job again: its values are checked while the user types. The form works without it.

import { checkWhileTyping, showErrors } from "./form_checks.js";

const form = document.getElementById("again");
const overall = document.getElementById("again-problem");

checkWhileTyping(form, {
  show(text) {
    const { problems, message } = JSON.parse(text);
    showErrors(form, new Map(Object.entries(problems)));
    overall.textContent = message;
  },
});
