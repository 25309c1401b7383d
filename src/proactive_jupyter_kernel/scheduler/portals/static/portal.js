// What all pages of the portals share: theme, live parts, actions, questions and keys. Pages work without it.

const parse = (text) => new DOMParser().parseFromString(text, "text/html");
const main = document.getElementById("main");

// --- frames --------------------------------------------------------------------------------------------------------

// JupyterLab takes frames out of the page and puts them back, which follows their single-use link again. The tab that
// followed it first remembers where it led, under the last part of the link; nobody else can read that.
const entered = /\/portal\/enter\/([\w-]+)$/.exec(location.pathname);
try {
  if (location.hash.startsWith("#entered=")) {
    sessionStorage.setItem(`proactive-${location.hash}`, location.pathname + location.search);
    history.replaceState(null, "", location.pathname + location.search);
  } else if (entered && window !== window.top) {
    const known = sessionStorage.getItem(`proactive-#entered=${entered[1]}`);
    if (known) location.replace(known);
  }
} catch {
  // Without storage the page says that the link was used.
}

// --- theme ---------------------------------------------------------------------------------------------------------

const themeButton = document.getElementById("theme");
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("proactive-theme", root.dataset.theme);
  } catch {
    // Frames may have no storage; the choice lasts as long as the page.
  }
});

// --- requests ------------------------------------------------------------------------------------------------------

/**
 * Fetch an address: `ok`, `status`, `type` and `text` of the answer; null if there is none, or the request was aborted.
 * Errors of scripts are not caught here or by those who call this: they belong in the console.
 */
export async function answerTo(address, options) {
  try {
    const answer = await fetch(address, options);
    const type = answer.headers.get("content-type") || "";
    return { ok: answer.ok, status: answer.status, type, text: await answer.text() };
  } catch {
    return null;
  }
}

/** What the page of an error says. */
export const textOf = ({ status, text }) =>
  parse(text).querySelector("main p")?.textContent || `The scheduler answered ${status}.`;

// --- merging new markup into old -----------------------------------------------------------------------------------

// Attributes that belong to the reader or to this script, not to the markup of the server.
const OWN_ATTRIBUTES = new Set(["open", "data-selected", "aria-busy"]);
const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset.key || "" : "");
const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;

function mergeNode(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh) || "keep" in old.dataset) return;
  for (const { name, value } of [...fresh.attributes]) {
    if (!OWN_ATTRIBUTES.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!OWN_ATTRIBUTES.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  if (old.nodeName !== "TEXTAREA") mergeChildren(old, fresh);
}

function mergeChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.childNodes) if (keyOf(child)) keyed.set(keyOf(child), child);
  const wanted = new Set([...fresh.childNodes].map(keyOf).filter(Boolean));
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    // What is no longer wanted is removed before the rest moves up: the others stay where they are, with the focus.
    while (place && keyOf(place) && !wanted.has(keyOf(place))) {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    }
    const key = keyOf(child);
    const match = key ? keyed.get(key) : place && !keyOf(place) && alike(place, child) ? place : null;
    if (match && alike(match, child)) {
      if (match === place) place = place.nextSibling;
      else old.insertBefore(match, place);
      mergeNode(match, child);
    } else {
      old.insertBefore(document.importNode(child, true), place);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

/** Merge the markup of parts, as `?part=` answers it, into the page. */
export function merge(text) {
  for (const template of parse(text).querySelectorAll("template[data-part]")) {
    for (const target of document.querySelectorAll(`[data-part="${CSS.escape(template.dataset.part)}"]`)) {
      mergeChildren(target, template.content);
    }
  }
  document.dispatchEvent(new CustomEvent("portal:merged"));
}

// --- live parts ----------------------------------------------------------------------------------------------------

const NO_ANSWER = "The scheduler does not answer. This page shows what was known before; it tries again.";
const live = (main.dataset.live || "").split(",").filter(Boolean);
const offline = document.getElementById("offline");
// Parts for the next request: what is asked for during a request is asked for after it.
const wanted = new Set();
let latest = Promise.resolve();
let next = null;

function sayOffline(text) {
  offline.textContent = text;
  offline.hidden = !text;
}

async function fetchParts(names) {
  const at = new URL(location.href);
  at.searchParams.set("part", names.join(","));
  const answer = await answerTo(at);
  if (!answer) {
    sayOffline(NO_ANSWER);
  } else if (answer.ok) {
    merge(answer.text);
    sayOffline("");
  } else {
    sayOffline(textOf(answer));
  }
}

/**
 * Fetch parts of this page and merge them; the live ones if none are named. Requests never overlap. The promise is kept
 * as soon as these parts are new, whatever else changes meanwhile: a job with many tasks changes all the time. An error
 * of a script is reported in the console, and the next refresh is tried all the same.
 */
export function refresh(names = ["status", ...live]) {
  for (const name of names) wanted.add(name);
  next ??= latest = latest.then(() => {
    const parts = [...wanted];
    wanted.clear();
    next = null;
    return fetchParts(parts);
  }).catch(reportError);
  return next;
}

// A page that costs the scheduler much, such as that of a job with thousands of tasks, is not refreshed with each change.
const pace = Number(main.dataset.pace || 0) * 1000;
let refreshed = 0;
let later = 0;

function refreshSoon() {
  clearTimeout(later);
  const wait = refreshed + pace - Date.now();
  if (wait > 0) {
    later = setTimeout(refreshSoon, wait);
  } else {
    refreshed = Date.now();
    refresh();
  }
}

// A browser opens six connections to a host at most, for all its tabs and frames together: a notebook with six frames
// that each held a stream would hear nothing else. So a few pages have streams, and the others look from time to time.
const STREAMS = 3;
const LOOK = 4000;

let events = null;
let timer = 0;
let joining = false;
let giveBack = null;

/** One of the places for streams: a function that gives it back; null where it is taken. */
const placeOf = (number) =>
  new Promise((resolve) => {
    navigator.locks
      .request(`proactive-events-${number}`, { ifAvailable: true }, (lock) =>
        lock ? new Promise((release) => resolve(release)) : resolve(null),
      )
      .catch(() => resolve(null));
  });

/** A free place; null where there is none, or where the browser cannot count them. */
async function freePlace() {
  for (let number = 0; navigator.locks && number < STREAMS; number += 1) {
    const place = await placeOf(number);
    if (place) return place;
  }
  return null;
}

async function follow() {
  if (events || joining || !live.length || !document.body.dataset.events) return;
  joining = true;
  const place = await freePlace();
  joining = false;
  if (document.hidden) {
    place?.();
    return;
  }
  clearTimeout(timer);
  if (!place) {
    timer = setTimeout(() => {
      refreshSoon();
      follow();
    }, LOOK);
    return;
  }
  giveBack = place;
  const at = new URL(document.body.dataset.events, location.href);
  at.searchParams.set("since", document.body.dataset.revision);
  if (main.dataset.liveJob) at.searchParams.set("job", main.dataset.liveJob);
  events = new EventSource(at);
  events.addEventListener("change", (event) => {
    document.body.dataset.revision = JSON.parse(event.data).revision;
    refreshSoon();
  });
  // Behind a proxy each stream lasts some time only.
  events.addEventListener("again", () => {
    leave();
    follow();
  });
  events.addEventListener("error", () => {
    // The browser connects again by itself, unless the answer was an error: then the page says why.
    if (events?.readyState === EventSource.CLOSED) {
      leave();
      refresh();
      timer = setTimeout(follow, 5000);
    } else {
      sayOffline(NO_ANSWER);
    }
  });
  events.addEventListener("open", () => sayOffline(""));
}

function leave() {
  clearTimeout(timer);
  events?.close();
  events = null;
  giveBack?.();
  giveBack = null;
}

// A page that nobody sees holds no connection and keeps no scheduler running.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) leave();
  else if (live.length) {
    refresh();
    follow();
  }
});
addEventListener("pagehide", leave);
if (!document.hidden) follow();
let lastTick = Date.now();
setInterval(() => {
  const every = Number(document.querySelector("[data-every]")?.dataset.every || 0);
  if (every && !document.hidden && Date.now() - lastTick >= every * 1000) {
    lastTick = Date.now();
    refresh();
  }
}, 500);

// --- actions and questions -----------------------------------------------------------------------------------------

const asked = document.getElementById("ask");
let opener = null;

function closeQuestion() {
  if (!asked.firstElementChild) return false;
  asked.replaceChildren();
  if (opener?.isConnected) opener.focus();
  opener = null;
  return true;
}

/** Say something at the top of the page. */
export function say(text, tone = "bad") {
  const note = document.createElement("p");
  note.className = `note t-${tone}`;
  note.textContent = text;
  document.querySelector('[data-part="messages"]').replaceChildren(note);
  note.scrollIntoView({ block: "nearest" });
}

const asks = (form, submitter) => (submitter?.hasAttribute("formaction") ? submitter.formAction : form.action);
// What each form asked for last, until its answer is shown.
const underWay = new WeakMap();

/** Send a form in the background, then go where its answer says, or fetch the live parts if that is here. */
export async function send(form, submitter) {
  const request = { asks: asks(form, submitter) };
  underWay.set(form, request);
  const data = new FormData(form, submitter);
  const body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await answerTo(request.asks, {
      method: "POST",
      body,
      headers: { "X-Portal-Script": "1" },
    });
    if (!answer) {
      say("The scheduler does not answer. Whether it has done this is not known; reload the page to see.");
    } else if (answer.type.startsWith("application/json")) {
      const to = new URL(JSON.parse(answer.text).to, location.href);
      closeQuestion();
      // A search or the choice of a task may have changed the query since the form was written: the page keeps its own.
      if (to.pathname === location.pathname) await refresh(["status", "messages", ...live]);
      else location.assign(to);
    } else {
      say(textOf(answer));
    }
  } finally {
    if (underWay.get(form) === request) {
      underWay.delete(form);
      form.removeAttribute("aria-busy");
    }
  }
}

// The same thing is not asked for twice at the same time. A form that became another meanwhile, such as Resume in the
// place of Pause, is sent at once: what is pressed as soon as it can be seen must not get lost.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-action]")) return;
  event.preventDefault();
  closeMenus();
  if (underWay.get(event.target)?.asks !== asks(event.target, event.submitter)) send(event.target, event.submitter);
});

// A double click sends a form once. A form that answers with a file stays, and may be sent again.
const TWICE = 1500;
let sent = { button: null, at: 0 };
addEventListener("submit", (event) => {
  const button = event.submitter || event.target;
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (sent.button === button && Date.now() - sent.at < TWICE) event.preventDefault();
  else sent = { button, at: Date.now() };
});
addEventListener("pageshow", () => {
  sent = { button: null, at: 0 };
});

async function ask(link, from) {
  const at = new URL(link.href);
  at.searchParams.set("part", "ask");
  opener = from;
  const answer = await answerTo(at);
  if (!answer) {
    location.assign(link.href);
    return;
  }
  if (!answer.ok) {
    say(textOf(answer));
    return;
  }
  asked.replaceChildren(document.importNode(parse(answer.text).querySelector("template").content, true));
  asked.querySelector("[autofocus]")?.focus();
  asked.scrollIntoView({ block: "nearest" });
}

function closeMenus(but) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(but)) menu.open = false;
}

document.addEventListener("click", (event) => {
  closeMenus(event.target);
  const link = event.target.closest("a");
  const row = event.target.closest("[data-row]");
  if (row && !link) select(row);
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.matches("[data-ask]")) {
    event.preventDefault();
    const menu = link.closest("details.menu");
    // A key asks for what stands in a closed menu: the focus stays with the list.
    const from = menu ? (menu.open ? menu.querySelector("summary") : null) : link;
    closeMenus();
    ask(link, from);
  } else if (link.matches("[data-answer-no]") && asked.contains(link)) {
    event.preventDefault();
    closeQuestion();
  }
});

// --- keys ----------------------------------------------------------------------------------------------------------

// Who dictates, or presses keys by accident, can switch them off (WCAG 2.1.4). Enter and Esc always do what they do.
const keysSwitch = document.getElementById("keys");
const keysAreOn = () => document.documentElement.dataset.keys !== "off";
if (keysSwitch) {
  keysSwitch.closest("label").hidden = false;
  keysSwitch.checked = keysAreOn();
  keysSwitch.addEventListener("change", () => {
    const chosen = keysSwitch.checked ? "on" : "off";
    document.documentElement.dataset.keys = chosen;
    try {
      localStorage.setItem("proactive-keys", chosen);
    } catch {
      // Frames may have no storage; the choice lasts as long as the page.
    }
  });
}

const rows = () => [...document.querySelectorAll("[data-row]")];
const selected = () => document.querySelector("[data-row][data-selected]");

function select(row) {
  selected()?.removeAttribute("data-selected");
  row.setAttribute("data-selected", "");
  row.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(selected());
  select(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
}

function press(element) {
  if (element.matches("input, select, textarea")) {
    element.focus();
    element.select?.();
  } else element.click();
}

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return;
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  if (event.key === "Escape") {
    if (closeQuestion()) return;
    closeMenus();
    if (typing) {
      // Some browsers would empty a search: the field is left, and the list stays as it was searched.
      event.preventDefault();
      typing.blur();
    }
    return;
  }
  if (typing || asked.contains(event.target)) return;
  if (!keysAreOn() && event.key.length === 1) return;
  if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
  } else if (event.key === "Enter" && !event.target.closest("a, button, summary") && selected()) {
    selected().querySelector("[data-open]")?.click();
  } else {
    const key = CSS.escape(event.key);
    const element =
      selected()?.querySelector(`[data-row-shortcut="${key}"]`) || document.querySelector(`[data-shortcut="${key}"]`);
    if (!element) return;
    press(element);
  }
  event.preventDefault();
});
