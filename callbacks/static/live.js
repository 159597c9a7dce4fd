/* Brings every part marked data-refresh="seconds" up to date, by its own hx-get, while somebody can see the page.

   A part sends back the seal of what it shows (data-seen): where nothing changed the answer is empty and nothing moves.
   Zorglijn-Background says that no person asked, so that an open page does not keep a session alive. */

import { isLost, nextTry } from "./connection.js";

const TICK = 1000;
const asked = new WeakMap();

const parts = () => [...document.querySelectorAll("[data-refresh]")];
const isUnderWay = (part) => part.classList.contains("htmx-request");
const isDue = (part, now) => now - (asked.get(part) ?? 0) >= Number(part.dataset.refresh) * 1000;

/** Ask for this part now, or once more as soon as the answer is there that is under way. */
export function refresh(part) {
  if (!part) return;
  if (isUnderWay(part)) {
    asked.delete(part);
    return;
  }
  asked.set(part, Date.now());
  htmx.trigger(part, "refresh");
}

/** Ask for every part now, as when somebody comes back to the page. */
export function refreshAll() {
  if (!document.hidden) parts().forEach(refresh);
}

export function beginLive() {
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, headers } = event.detail;
    if (!elt.matches("[data-refresh]")) return;
    headers["Zorglijn-Background"] = "1";
    // A page that a button brought has an address to which nobody can come back after signing in.
    if (document.body.dataset.page) headers["HX-Current-URL"] = document.body.dataset.page;
    if (elt.dataset.seen) headers["Zorglijn-Seen"] = elt.dataset.seen;
  });
  document.addEventListener("visibilitychange", refreshAll);
  window.addEventListener("focus", refreshAll);
  for (const change of ["online", "offline"]) window.addEventListener(change, refreshAll); // is the line there?
  for (const part of parts()) if (part.dataset.seen) asked.set(part, Date.now()); // the page has just brought it
  document.addEventListener("DOMContentLoaded", () => setInterval(tick, TICK) && tick()); // then htmx is ready as well
}

function tick() {
  if (document.hidden) return;
  const now = Date.now();
  if (!isLost()) parts().filter((part) => isDue(part, now)).forEach(refresh);
  else if (now >= nextTry()) refresh(parts()[0]); // one question at a time, ever more rarely
}
