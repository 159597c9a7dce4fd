/* Says that the line does not answer, from when the page is, and that it does again; and warns before a form is sent
   into nothing, because the browser's own error page would lose what was typed. */

import { phrase, say } from "./saying.js";

const FIRST_WAIT = 4000;
const LONGEST_WAIT = 60000;
let failures = 0;
let tryAt = 0;
let fresh = Date.now();
let refreshAll;

/** Whether the last refresh failed. */
export const isLost = () => failures > 0;

/** When to ask again. */
export const nextTry = () => tryAt;

/** Begin to listen; `catchUp` is called once the line answers again. */
export function beginConnection(catchUp) {
  refreshAll = catchUp;
  document.addEventListener("htmx:sendError", (event) => fails(event.detail.elt));
  document.addEventListener("htmx:timeout", (event) => fails(event.detail.elt));
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status >= 500 || event.detail.xhr.status === 429) fails(event.detail.elt);
    else event.detail.elt.removeAttribute("data-refresh"); // gone for good: asking again would not help
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) answers();
  });
  document.addEventListener("submit", hold, true);
}

function fails(part) {
  if (!part.matches("[data-refresh]")) return;
  failures += 1;
  const wait = Math.min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT);
  tryAt = Date.now() + wait * (0.8 + 0.4 * Math.random()); // not the whole team at the same moment
  if (failures === 1) show(phrase("lost", { time: clock(fresh) }));
}

function answers() {
  fresh = Date.now();
  if (!isLost()) return;
  failures = 0;
  document.querySelectorAll("[data-held]").forEach((form) => delete form.dataset.held);
  show("");
  say(phrase("back"));
  refreshAll();
}

function show(text) {
  document.getElementById("connection").textContent = text;
}

function clock(moment) {
  const zone = document.body.dataset.zone;
  const style = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
  return new Intl.DateTimeFormat(document.documentElement.lang, style).format(moment);
}

/** Without a connection the first press of a button only tells; a second one is the reader's own choice. */
function hold(event) {
  const form = event.target;
  if (form.method === "dialog" || form.dataset.held || !isLost()) return;
  event.preventDefault();
  event.stopPropagation();
  form.dataset.held = "yes";
  show(phrase("notSent"));
  form.scrollIntoView({ block: "nearest" });
}
