/* Keeps what was half typed in a form marked data-keep, over a reload, a lost session and a lost claim.

   It lives in this tab only (sessionStorage), for this agent and this form; it is forgotten once it was sent, when
   they sign out, and when somebody else signs in. */

import { phrase, say } from "./saying.js";

const PREFIX = "zorglijn-typed:";
const FIELDS = "textarea[name], select[name], input[name]:not([type=hidden], [type=checkbox], [type=radio])";

const own = () => `${PREFIX}${document.body.dataset.agent}:`;
const pathOf = (form) => new URL(form.action).pathname;
const forms = () => [...document.querySelectorAll("form[data-keep]")];

export function beginKeeping() {
  try {
    forget((name) => !name.startsWith(own()));
    for (const sent of document.querySelectorAll("template.sent")) forget((name) => name === own() + sent.dataset.form);
    giveBack();
    forms().filter(hasTyped).forEach(keep); // somebody was quicker than this script
    document.addEventListener("input", (event) => keep(event.target.closest("form[data-keep]")));
    document.addEventListener("submit", (event) => {
      if (event.target.matches("[data-sign-out]")) forget(() => true);
    });
  } catch {
    // a browser without storage keeps nothing, and nothing else stops working
  }
}

/** What the page itself has put into a field. */
function initial(field) {
  if (!field.matches("select")) return field.defaultValue;
  return ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value;
}

const isChanged = (field) => field.value !== initial(field);
const hasTyped = (form) => [...form.querySelectorAll(FIELDS)].some(isChanged);

function forget(isMeant) {
  const names = Object.keys(sessionStorage).filter((name) => name.startsWith(PREFIX));
  names.filter(isMeant).forEach((name) => sessionStorage.removeItem(name));
}

function keep(form) {
  if (!form) return;
  const name = own() + pathOf(form);
  const values = JSON.parse(sessionStorage.getItem(name) ?? "{}");
  for (const field of form.querySelectorAll(FIELDS)) {
    if (!field.value.trim()) delete values[field.name];
    else if (isChanged(field) || field.name in values) values[field.name] = field.value;
  }
  if (Object.keys(values).length) sessionStorage.setItem(name, JSON.stringify(values));
  else sessionStorage.removeItem(name);
}

function giveBack() {
  for (const form of forms()) {
    const kept = sessionStorage.getItem(own() + pathOf(form));
    if (kept) fill(form, JSON.parse(kept));
  }
  move();
}

function fill(form, values) {
  let isBack = false;
  for (const field of form.querySelectorAll(FIELDS)) {
    if (!(field.name in values) || isChanged(field) || field.value === values[field.name]) continue;
    field.value = values[field.name];
    isBack = true;
  }
  if (!isBack) return;
  const closed = form.closest("details:not([open])");
  if (closed) closed.open = true;
  tell(form, phrase("kept"));
}

/** A note typed to wrap up a request that somebody else has now: it can still be added as a note. */
function move() {
  const target = forms().find((form) => pathOf(form).endsWith("/note"));
  if (!target) return;
  const orphan = own() + pathOf(target).replace(/note$/, "wrap-up");
  const kept = sessionStorage.getItem(orphan);
  if (!kept || forms().some((form) => own() + pathOf(form) === orphan)) return;
  if (document.getElementById("unsaved-note")) return; // the page itself has just offered it as a note
  const note = (JSON.parse(kept).note ?? "").trim();
  sessionStorage.removeItem(orphan);
  if (!note || isStored(note)) return;
  const field = target.querySelector("[name=note]");
  field.value = [field.value, note].filter((text) => text.trim()).join("\n");
  keep(target);
  tell(target, phrase("moved"));
}

/** It stands among what happened: it was kept as a note already. */
function isStored(note) {
  const plain = (text) => text.replace(/\s+/g, " ");
  return plain(document.getElementById("request-events")?.textContent ?? "").includes(plain(note));
}

function tell(form, text) {
  const line = document.createElement("p");
  line.className = "kept";
  line.textContent = text;
  form.prepend(line);
  say(text);
}
