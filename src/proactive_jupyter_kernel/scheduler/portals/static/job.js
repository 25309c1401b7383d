// The page of a job: its output is followed, and tasks are found while the user types. The page works without it.

import { answerTo, refresh } from "./portal.js";

// --- output --------------------------------------------------------------------------------------------------------

//: Lines that are kept in the page; older ones go.
const MOST_LINES = 1000;
const QUICK = 1000;
const SLOW = 4000;

const panel = document.getElementById("output-part");
let timer = 0;
let pause = QUICK;

const log = () => document.getElementById("log");
const following = () => document.getElementById("follow")?.checked;

function prepare() {
  for (const each of panel.querySelectorAll("[data-with-script]")) each.hidden = false;
  for (const each of panel.querySelectorAll("[data-without-script]")) each.hidden = true;
  log().scrollTop = log().scrollHeight;
}

function lineOf([at, task, text, wrong]) {
  const line = document.createElement("div");
  line.className = wrong ? "line wrong" : "line";
  const cells = "single" in log().dataset ? [["quiet at", at]] : [["quiet at", at], ["quiet from", task]];
  for (const [name, content] of [...cells, ["text", text]]) {
    const cell = document.createElement("span");
    cell.className = name;
    cell.textContent = content;
    if (name === "quiet from") cell.title = task;
    line.append(cell);
  }
  return line;
}

function append(lines, cut) {
  const target = log();
  const atEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 24;
  if (cut) {
    const gap = document.createElement("p");
    gap.className = "quiet";
    gap.textContent = "… more lines than can be shown here; Download has all that is kept.";
    target.append(gap);
  }
  target.append(...lines.map(lineOf));
  target.querySelector(".none")?.toggleAttribute("hidden", true);
  const all = target.querySelectorAll(".line");
  for (let index = 0; index < all.length - MOST_LINES; index += 1) all[index].remove();
  if (following() && atEnd) target.scrollTop = target.scrollHeight;
}

async function poll() {
  const target = log();
  if (!target.dataset.alive || document.hidden || !following()) return;
  const at = new URL(target.dataset.url, location.href);
  at.searchParams.set("after", target.dataset.position);
  const answer = await answerTo(at);
  plan();
  if (!answer) {
    pause = SLOW;
  } else if (answer.ok && target === log()) {
    const { position, alive, cut, lines } = JSON.parse(answer.text);
    target.dataset.position = position;
    target.dataset.alive = alive ? "true" : "";
    if (lines.length) append(lines, cut);
    pause = lines.length ? QUICK : Math.min(pause * 1.5, SLOW);
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  timer = setTimeout(poll, pause);
}

async function choose(task) {
  const page = new URL(location.href);
  if (task) page.searchParams.set("task", task);
  else page.searchParams.delete("task");
  const part = new URL(page);
  part.searchParams.set("part", "output");
  const answer = await answerTo(part);
  if (!answer?.ok) {
    location.assign(page);
    return;
  }
  const template = new DOMParser().parseFromString(answer.text, "text/html").querySelector("template");
  const focused = document.activeElement?.name;
  panel.replaceChildren(document.importNode(template.content, true));
  history.replaceState(null, "", page);
  prepare();
  if (focused) panel.querySelector(`[name="${focused}"]`)?.focus();
  pause = QUICK;
  plan();
  await refresh();
}

panel.addEventListener("change", (event) => {
  if (event.target.name === "task") choose(event.target.value);
  if (event.target.id === "follow" && event.target.checked) {
    log().scrollTop = log().scrollHeight;
    pause = QUICK;
    plan();
  }
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) plan();
});
// Something has changed: output often came with it.
document.addEventListener("portal:merged", () => {
  pause = QUICK;
});

prepare();
plan();

// --- finding tasks -------------------------------------------------------------------------------------------------

const find = document.getElementById("find");
let typed = 0;

find.addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(() => {
    const page = new URL(location.href);
    if (find.elements.q.value) page.searchParams.set("q", find.elements.q.value);
    else page.searchParams.delete("q");
    page.searchParams.delete("page");
    history.replaceState(null, "", page);
    refresh(["chips", "tasks"]);
  }, 250);
});
