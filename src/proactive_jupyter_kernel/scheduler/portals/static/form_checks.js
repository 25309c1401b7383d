// Forms that the server checks while the user types: errors appear beside the fields they are about.

import { answerTo, say, textOf } from "./portal.js";

const DELAY = 300;

/** Show the errors of a form: a Map from the name in `data-field` to the text. A field without an error is valid. */
export function showErrors(form, errors) {
  for (const field of form.querySelectorAll("[data-field]")) {
    const text = errors.get(field.dataset.field) || "";
    const control = field.querySelector("input, select, textarea");
    field.querySelector("[data-error]").textContent = text;
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
    if (text && field.closest("details")) field.closest("details").open = true;
  }
}

/**
 * Check a form shortly after each change: send it to the address in `data-check`, and give the text of the answer to
 * `show`. `prepare` runs before the form is read; `panel` is marked as busy meanwhile. A stale answer is never shown.
 * Returns the function that checks at once.
 */
export function checkWhileTyping(form, { show, prepare = () => {}, panel = form }) {
  let timer = 0;
  let running = null;

  async function check() {
    clearTimeout(timer);
    running?.abort();
    const current = (running = new AbortController());
    prepare();
    panel.setAttribute("aria-busy", "true");
    try {
      const answer = await answerTo(form.dataset.check, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        signal: current.signal,
      });
      if (current !== running) return;
      if (!answer) say("The scheduler does not answer: the form could not be checked.");
      else if (answer.ok) show(answer.text);
      else say(textOf(answer));
    } finally {
      if (current === running) panel.removeAttribute("aria-busy");
    }
  }

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(check, DELAY);
  };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  return check;
}
