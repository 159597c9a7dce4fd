/* Single keys that press the page's own buttons: whatever carries data-key="c". A page without it does nothing.

   Never while somebody types, never with Ctrl, Alt or Meta, and not at all where they were turned off (WCAG 2.1.4). */

import { remember, remembered } from "./saying.js";

const FIELDS = "input, textarea, select, [contenteditable]";
const ROWS = "#queue-list li[id]";
const STEPS = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 };

const areOn = () => remembered("localStorage", "keys") !== "off";

export function beginKeys() {
  const dialog = document.getElementById("keys");
  const choice = document.getElementById("keys-on");
  document.getElementById("keys-open").addEventListener("click", () => dialog.showModal());
  choice.checked = areOn();
  choice.addEventListener("change", () => {
    remember("localStorage", "keys", choice.checked ? null : "off");
    show();
  });
  document.addEventListener("keydown", press);
  show();
}

function show() {
  document.documentElement.classList.toggle("keys", areOn());
}

function press(event) {
  if (!areOn() || event.defaultPrevented || event.repeat || event.isComposing) return;
  if (event.ctrlKey || event.altKey || event.metaKey || isElsewhere(event.target)) return;
  const isDone = event.key in STEPS ? step(event) : use(event.key);
  if (isDone) event.preventDefault();
}

const isElsewhere = (target) => target.closest(FIELDS) !== null || document.querySelector("dialog[open]") !== null;

/** Up and down the list; the arrows scroll the page as ever until somebody is in the list. */
function step(event) {
  const rows = [...document.querySelectorAll(ROWS)];
  const here = rows.indexOf(document.activeElement.closest(ROWS));
  if (!rows.length || (event.key.startsWith("Arrow") && here < 0)) return false;
  const next = here < 0 ? 0 : Math.min(Math.max(here + STEPS[event.key], 0), rows.length - 1);
  rows[next].querySelector("a").focus();
  rows[next].scrollIntoView({ block: "nearest" });
  return true;
}

/** In a list a key means the row in which one is; elsewhere the page has one such button. */
function use(key) {
  const scope = document.activeElement.closest(ROWS) ?? document;
  const meant = candidates(scope, key);
  const found = meant.length ? meant : candidates(document, key).filter((one) => !one.closest(ROWS));
  if (found.length !== 1) return false;
  const [control] = found;
  control.focus();
  if (control.matches(FIELDS)) control.select?.();
  else control.click();
  return true;
}

function candidates(scope, key) {
  const all = [...scope.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)];
  return all.filter((control) => !control.disabled && control.getClientRects().length);
}
