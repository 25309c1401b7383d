// The form that submits a job again: its values are checked while one types. The form works without it.

const form = document.getElementById("again");
const overall = document.getElementById("again-problem");
let timer = 0;
let latest = 0;

function show({ problems, message }) {
  for (const field of form.querySelectorAll("[data-variable]")) {
    const text = problems[field.dataset.variable] || "";
    field.querySelector(".problem").textContent = text;
    const control = field.querySelector("input, select, textarea");
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
  overall.textContent = message;
}

async function check() {
  latest += 1;
  const number = latest;
  const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (answer.ok && number === latest) show(await answer.json());
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => check().catch(() => {}), 300);
});
