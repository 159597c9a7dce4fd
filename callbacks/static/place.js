/* Keeps the reader's place while a part is brought up to date: what they look at, their focus, what they opened.

   idiomorph changes only what differs and so leaves nodes, selection and fields alone; here is what it cannot know. */

import { phrase, say } from "./saying.js";

const MARKED_FOR = 20000;
const ROWS = "#queue-list li[id]";
let before = null;
const known = new Set();
let pointed = null;

export function beginPlace() {
  const callbacks = Idiomorph.defaults.callbacks;
  callbacks.beforeAttributeUpdated = (name, node) => !isReaders(name, node);
  Idiomorph.defaults.ignoreActiveValue = true; // a field in which somebody types is theirs
  rows().forEach((row) => known.add(row.id));
  document.addEventListener("pointerover", (event) => (pointed = event.target.closest?.(ROWS) ?? null));
  document.addEventListener("htmx:beforeSwap", remember);
  document.addEventListener("htmx:afterSwap", restore);
}

const rows = () => [...document.querySelectorAll(ROWS)];

/** What the reader or this page has set on an element, and the server knows nothing of. */
function isReaders(name, node) {
  return (name === "open" && node.matches("details, dialog")) || name === "data-new";
}

function remember() {
  const focused = document.activeElement;
  const anchor = anchorOf(focused);
  const row = focused.closest(ROWS);
  before = { focused, row: row?.id, index: rows().indexOf(row), anchor, top: anchor?.getBoundingClientRect().top };
}

/** What must not move: where the reader works or points, else what they see, if they have scrolled. */
function anchorOf(focused) {
  if (focused.closest("main") && focused.id !== "main" && isSeen(focused)) return focused.closest(ROWS) ?? focused;
  if (pointed?.isConnected && isSeen(pointed)) return pointed;
  if (scrollY > 0) return rows().find(isSeen) ?? document.elementFromPoint(innerWidth / 2, innerHeight / 2);
}

function isSeen(element) {
  const box = element.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}

function restore() {
  if (!before) return;
  const { focused, row, index, anchor, top } = before;
  if (!focused.isConnected) refocus(row, index);
  if (anchor?.isConnected) scrollBy({ top: anchor.getBoundingClientRect().top - top, behavior: "instant" });
  before = null;
  welcome();
}

/** The button is gone because a colleague was quicker: stay at the same row, or at the one that took its place. */
function refocus(row, index) {
  const target = document.getElementById(row) ?? rows()[index] ?? document.getElementById("main");
  (target.querySelector("a") ?? target).focus({ preventScroll: true });
}

/** Mark rows that were not there before, and say how many: the list itself is not read out again. */
function welcome() {
  const fresh = rows().filter((row) => !known.has(row.id));
  if (!fresh.length) return;
  for (const row of fresh) {
    known.add(row.id);
    mark(row);
  }
  const isUrgent = fresh.some((row) => ["P0", "P1"].includes(row.dataset.urgency));
  say(phrase((fresh.length === 1 ? "one" : "many") + (isUrgent ? "Urgent" : "New"), { count: fresh.length }));
}

/** A stripe and a word, for a while. */
function mark(row) {
  const both = [row, row.querySelector("h2")];
  for (const one of both) one.dataset.new = phrase("new");
  setTimeout(() => both.forEach((one) => delete one.dataset.new), MARKED_FOR);
}
