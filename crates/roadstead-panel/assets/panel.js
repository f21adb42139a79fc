// What pages do beyond links and forms: live filters, refresh, copy, palette, one send per form.
// Every page works without it.

const SOON = 2;
const SLOWEST = 16;
const PATIENCE = 4000;
const PAUSED = "Live updates are paused: the server does not answer.";
// Only what this host has sent is ever parsed, and as a document of its own: no script in it runs.
const own = { createHTML: text => text };
const policy = window.trustedTypes?.createPolicy("panel", own) ?? own;

async function fetchPage(url, signal) {
  const answer = await fetch(url, { signal, redirect: "manual", credentials: "same-origin" });
  // A redirect leads to the log-in; the page itself has to be asked for.
  if (answer.type === "opaqueredirect") return location.reload(), new Promise(() => {});
  if (!answer.ok) throw new Error(answer.status);
  return new DOMParser().parseFromString(policy.createHTML(await answer.text()), "text/html");
}

// Makes `old` like `fresh`, and keeps what is the same: so focus, caret and announcements survive.
function patch(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !kept(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !kept(old, name)) old.setAttribute(name, value);
  }
  const nodes = [...fresh.childNodes];
  nodes.forEach((node, at) => {
    const here = old.childNodes[at];
    const same = node.id ? [...old.children].find(it => it.id === node.id) : alike(here, node) && here;
    if (!same) return old.insertBefore(document.importNode(node, true), here ?? null);
    if (same !== here) old.insertBefore(same, here ?? null);
    if (same.nodeType !== 1) {
      if (same.data !== node.data) same.data = node.data;
    } else if (!same.isEqualNode(node)) patch(same, node);
  });
  while (old.childNodes.length > nodes.length) old.lastChild.remove();
}

const alike = (one, other) => one && one.nodeName === other.nodeName && !one.id;
// What the visitor has opened, and what the script has uncovered.
const kept = (node, name) =>
  (node.nodeName === "DETAILS" && name === "open") || (node.dataset.copy && name === "hidden");

function show(page, id) {
  const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
  if (old && fresh) patch(old, fresh);
  uncover();
  return Boolean(old && fresh);
}

// Refresh: an element with `data-refresh` (seconds) is renewed from `data-src` until the server
// leaves the attribute out.
const timers = new Map();
const paused = document.getElementById("paused");

function watch() {
  for (const it of document.querySelectorAll("[data-refresh][id]")) {
    if (!timers.has(it.id)) plan(it.id, 0);
  }
}

function plan(id, failures) {
  const it = document.getElementById(id);
  if (!it?.dataset.refresh) return timers.delete(id);
  // After a failure it is tried again soon, and after three ever more slowly.
  const wait = failures ? SOON * Math.min(2 ** Math.max(failures - 3, 0), SLOWEST) : it.dataset.refresh;
  timers.set(id, setTimeout(() => renew(id, failures), wait * 1000));
}

async function renew(id, failures) {
  if (document.hidden) return timers.set(id, null);
  const it = document.getElementById(id);
  try {
    if (!it?.dataset.src) return timers.delete(id);
    show(await fetchPage(it.dataset.src, AbortSignal.timeout(PATIENCE)), id);
    failures = 0;
    paused.textContent = "";
  } catch {
    if (++failures === 3) paused.textContent = PAUSED;
  }
  plan(id, failures);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) for (const [id, timer] of timers) if (timer === null) renew(id, 0);
});
addEventListener("offline", () => {
  if (timers.size) paused.textContent = PAUSED;
});
addEventListener("online", () => {
  for (const [id, timer] of timers) clearTimeout(timer), renew(id, 0);
});

// Live filters: a GET form with `data-live` applies itself to the element that it names.
let typing, asked;
async function apply(form) {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const url = form.getAttribute("action") + (query.size ? `?${query}` : "");
  asked?.abort();
  asked = new AbortController();
  try {
    const page = await fetchPage(url, asked.signal);
    if (!show(page, form.dataset.live)) return location.assign(url);
    if (!form.closest("dialog")) history.replaceState(null, "", url);
    paused.textContent = "";
    watch();
  } catch (error) {
    if (error.name !== "AbortError") paused.textContent = PAUSED;
  }
}

document.addEventListener("input", ({ target }) => {
  const form = target.form;
  if (!form?.dataset.live) return;
  clearTimeout(typing);
  typing = setTimeout(() => apply(form), 250);
});

// Copy.
const uncover = () => {
  if (navigator.clipboard) for (const it of document.querySelectorAll("[data-copy]")) it.hidden = false;
};

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copy]");
  if (button) {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const [word] = button.childNodes;
    word.data = "Copied";
    setTimeout(() => (word.data = "Copy"), 1500);
  }
  // A click beside an open menu closes it.
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
});

// Palette: the search in a dialog.
const search = document.querySelector("[data-palette]");
let palette;
async function open(event) {
  event.preventDefault();
  if (location.pathname === search.pathname) {
    return document.querySelector("main input[type=search]")?.focus();
  }
  if (!palette) {
    palette = document.createElement("dialog");
    palette.className = "palette";
    palette.setAttribute("aria-label", "Search");
    try {
      const page = await fetchPage(search.href);
      palette.append(...page.querySelectorAll("form[data-live], #hits"));
    } catch {
      return location.assign(search.href);
    }
    document.body.append(palette);
  }
  palette.showModal();
  palette.querySelector("input[type=search]")?.focus();
}

search?.addEventListener("click", open);
document.addEventListener("keydown", event => {
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) (menu.open = false), menu.querySelector("summary").focus();
  }
  if (search && event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) open(event);
});

// One send per form: a second click does nothing until there is an answer.
document.addEventListener("submit", event => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "true";
  event.submitter?.setAttribute("aria-disabled", "true");
});
addEventListener("pageshow", () => {
  for (const it of document.querySelectorAll("[data-sent]")) delete it.dataset.sent;
  for (const it of document.querySelectorAll("button[aria-disabled]")) it.removeAttribute("aria-disabled");
});

uncover();
watch();
