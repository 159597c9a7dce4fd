/* Tells two minutes before that a claim runs out, and renews it while somebody types; and says what others changed. */

import { isLost } from "./connection.js";
import { refresh } from "./live.js";
import { say } from "./saying.js";

const TOLD_BEFORE = 120000;
const RENEWED_AT_MOST = 60000;
let endsAt = null;
let read = "";
let isTold = false;
let renewedAt = 0;
let news = "";

const part = () => document.getElementById("request-live");
const form = () => document.getElementById("keep-claim");

export function beginClaim() {
  if (!part()) return;
  look();
  document.addEventListener("htmx:afterSwap", look);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id === "keep-claim") refresh(part());
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.elt.id === "keep-claim") location.reload(); // such as a page too old: what was typed is kept
  });
  document.addEventListener("input", (event) => {
    if (event.target.closest("form[data-keep]")) renew();
  });
  setInterval(warn, 1000);
}

/** Read what the part says now: how long the claim lasts, and what has changed. */
function look() {
  const { seen, claimLeft } = part().dataset;
  if (read !== `${seen} ${claimLeft}`) endsAt = claimLeft === undefined ? null : Date.now() + Number(claimLeft) * 1000;
  read = `${seen} ${claimLeft}`;
  const text = document.querySelector("#request-news span")?.textContent ?? "";
  if (text && text !== news) say(text);
  news = text;
  warn();
}

function warn() {
  if (!form()) return;
  const isNear = endsAt !== null && endsAt - Date.now() <= TOLD_BEFORE;
  form().hidden = !isNear;
  if (isNear && !isTold) say(form().querySelector("p").textContent);
  isTold = isNear;
}

/** Whoever types has not left it alone. */
function renew() {
  const near = endsAt !== null && endsAt - Date.now() <= Number(part().dataset.renewBefore) * 1000;
  if (!near || !form() || isLost() || Date.now() - renewedAt < RENEWED_AT_MOST) return;
  renewedAt = Date.now();
  form().requestSubmit();
}
