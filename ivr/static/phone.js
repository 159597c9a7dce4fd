// The phone in the browser. The page keeps the call (sealed by the server) and posts it back with what the caller does.
// What the caller does while the line speaks or the server works waits in `call.doing`, in order; voice.js tells what
// the line says.

import { Ringing } from "./ringing.js";
import { Telling, Voice } from "./voice.js";

const WORDS = JSON.parse(document.getElementById("words").textContent);
const LABELS = document.body.dataset.labels;
const WITHHELD = "anonymous";
const LONGEST_ANSWER = 30_000; // ms; the line itself is given 15 s
const MOST_WAITING = 40; // things that a caller may do ahead of the line
const KEEPS_CALL = new Set(["down", "slow"]); // errors after which the same can be tried again
const ENDS_CALL = new Set(["lost", "over"]);

const part = (id) => document.getElementById(id);
const [dial, log, say, team, trouble] = ["dial", "captions", "say", "team", "trouble"].map(part);
const voice = new Voice((words) => post("sound", { words }));
const telling = new Telling(log, voice);

const FRESH = { state: null, waits: null, endedBy: null, team: null, other: null, isAgents: false, typed: "", doing: [] };
const call = { phase: "idle", began: 0, ...FRESH };
const TITLE = document.title;
let silenceAt = null;

// ---- the server

function post(path, body, more = {}) {
  return fetch(`/phone/${path}?labels=${LABELS}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Zorglijn-Phone": "1" },
    body: JSON.stringify(body),
    cache: "no-store",
    ...more,
  });
}

// Give the answer, or {error, detail}: a server that is down is an answer too.
async function ask(path, body) {
  try {
    const answer = await post(path, body, { signal: AbortSignal.timeout(LONGEST_ANSWER) });
    const told = await answer.json();
    return answer.ok || told.error ? told : { error: "faulty" };
  } catch (error) {
    return { error: error.name === "TimeoutError" ? "slow" : "down" };
  }
}

// ---- what the caller does

async function ring() {
  const isWithheld = part("withheld").checked;
  const from = isWithheld ? WITHHELD : part("from").value.trim();
  voice.unlock();
  Object.assign(call, FRESH, { doing: [], began: Date.now() });
  log.replaceChildren();
  part("calling-from").textContent = isWithheld ? WORDS.page.withheld_short : from;
  enter("calling");
  part("keypad").focus({ preventScroll: true });
  noteCaller(isWithheld ? "dials_withheld" : "dials", from);
  await send("call", { from });
}

function does(doing, value = "") {
  if (!isInCall() || call.endedBy) return; // the line's goodbye is heard to its end
  if (call.phase === "stuck") return doing === "hang_up" ? putDown() : undefined;
  if (doing === "hang_up") call.doing = [];
  if (call.doing.length < MOST_WAITING) call.doing.push({ doing, value });
  telling.cut();
  goOn();
}

// Hang up although the line does not answer.
function putDown() {
  if (call.state) return act("hang_up", "");
  showTrouble(null);
  return enter("idle");
}

function goOn() {
  if (call.phase !== "waiting" || !call.doing.length) return;
  const { doing, value } = call.doing.shift();
  if (call.other) return doing === "hang_up" ? act(doing, value) : excuse("not_listening");
  if (doing === "press" && !call.waits.keys) return excuse("not_listening");
  if (doing === "say" && !call.waits.words) return excuse("not_listening");
  if (doing === "press" && call.waits.digits !== 1 && value !== call.waits.finish) return keyIn(value);
  const keys = doing === "press" || doing === "stay_silent" ? call.typed : "";
  if (doing === "press") return act("press", keys + value);
  // Silence after some keys of a number is what ends the number.
  return doing === "stay_silent" && keys ? act("press", keys) : act(doing, value);
}

function keyIn(key) {
  call.typed += key;
  part("entered").textContent = call.typed;
  watchSilence();
  goOn();
}

function act(doing, value) {
  setTyped("");
  noteCaller({ press: "presses", say: "says", stay_silent: "stays_silent", hang_up: "hangs_up" }[doing], value);
  enter("working");
  return send("act", { do: doing, value, state: call.state });
}

// ---- the agent's phone, and the caller's behind it

const ringing = new Ringing({
  isFree: () => ["idle", "ended"].includes(call.phase),
  sound: () => voice.ring(),
  rings(rung) {
    part("ringing-hint").textContent = WORDS.ringing.hint.replace("{number}", () => rung.to);
    enter("ringing");
    part("ringing-title").textContent = WORDS.ringing.whose.replace("{agent}", () => rung.agent);
    document.title = `\u260E ${WORDS.status.ringing} - ${TITLE}`;
    if (!document.activeElement?.matches("input")) part("answer").focus();
  },
  stops: () => stopRinging(),
  expires: (rung) => refuse(rung),
});

function stopRinging() {
  document.title = TITLE;
  part("ringing-title").textContent = "";
  if (call.phase === "ringing") enter("idle");
}

async function pickUp() {
  const rung = ringing.take();
  stopRinging();
  if (!rung) return;
  voice.unlock();
  Object.assign(call, FRESH, { doing: [], began: Date.now(), isAgents: true, state: rung.state });
  log.replaceChildren();
  part("calling-from").textContent = rung.to;
  enter("working");
  part("keypad").focus({ preventScroll: true });
  noteCaller("answers", "");
  await send("act", { do: "answer", value: "", state: rung.state });
}

async function refuse(rung) {
  stopRinging();
  if (rung) await ask("act", { do: "let_it_ring", value: "", state: rung.state });
}

function happensThere(what) {
  if (call.phase !== "waiting" || !call.other) return;
  noteCaller(what, "");
  enter("working");
  return send("act", { do: what, value: "", state: call.state });
}

function showOther() {
  const { other } = call;
  const isShown = call.phase === "waiting" && other !== null;
  const hadFocus = part("other").contains(document.activeElement);
  const title = isShown ? WORDS.ringing[other.speaks ? "speaking" : "other"].replace("{number}", () => other.number) : "";
  part("other").hidden = !isShown;
  if (part("other-title").textContent !== title) part("other-title").textContent = title;
  if (!isShown) return hadFocus ? part("keypad").focus({ preventScroll: true }) : undefined;
  log.scrollTop = log.scrollHeight;
  part("other-hint").textContent = WORDS.ringing[other.speaks ? "speaking_hint" : "other_hint"];
  for (const button of part("other-choices").children) button.hidden = (button.dataset.other === "other_hangs_up") !== other.speaks;
  (other.speaks ? part("hang-up") : part("other-choices").firstElementChild).focus({ preventScroll: true });
}

async function send(path, body) {
  showTrouble(null);
  const answer = await ask(path, body);
  if (!answer.error) return hear(answer);
  if (body.do === "hang_up" || ENDS_CALL.has(answer.error)) {
    // The phone is down on its hook whether the line has noticed or not.
    if (answer.error === "lost") showTrouble(answer);
    return finish({ unknown: true });
  }
  if (KEEPS_CALL.has(answer.error)) {
    call.doing = [];
    enter("stuck");
    return showTrouble(answer, () => {
      enter(path === "call" ? "calling" : "working");
      send(path, body);
    });
  }
  showTrouble(answer);
  if (call.state) return enter("waiting");
  enter("idle");
  (answer.error === "number" ? part("from") : part("call")).focus();
}

// ---- what the line does

async function hear(answer) {
  const { state, waits, ended_by: endedBy, team, other } = answer;
  Object.assign(call, { state, waits, endedBy, team, other });
  if (answer.heard.length) {
    enter("speaking");
    const told = telling.tell(answer.heard);
    if (call.doing.length) telling.cut();
    await told;
  }
  if (call.endedBy) return finish(call.team);
  enter("waiting");
  goOn();
}

function finish(seen) {
  if (call.endedBy === "line") note("event", WORDS.caller.line_hung_up);
  if (call.endedBy === "rejected") note("event", WORDS.caller.not_answered);
  call.doing = [];
  enter("ended");
  showTeam(seen);
  log.scrollTop = log.scrollHeight;
  part("team-title").focus({ preventScroll: true });
  team.scrollIntoView({ block: "nearest" });
}

// ---- what is shown

const isInCall = () => !["idle", "ended", "ringing"].includes(call.phase);

function enter(phase) {
  call.phase = phase;
  document.body.dataset.phase = phase;
  document.body.toggleAttribute("data-agents", call.isAgents);
  const inCall = isInCall();
  const hadFocus = document.activeElement;
  part("intro").hidden = phase !== "idle" || log.childElementCount > 0;
  log.hidden = !part("intro").hidden || phase === "ringing";
  part("ringing").hidden = phase !== "ringing";
  dial.hidden = inCall || phase === "ringing";
  part("hang-up").hidden = !inCall;
  part("calling").hidden = !inCall;
  say.hidden = !inCall || call.isAgents;
  team.hidden = phase !== "ended";
  part("whole").hidden = phase !== "speaking";
  part("other-labels").hidden = inCall;
  part("call").lastElementChild.textContent = phase === "ended" ? WORDS.page.call_again : WORDS.page.call;
  for (const control of [...part("keypad").children, part("send"), part("stay-silent")]) {
    control.disabled = !inCall || phase === "stuck";
  }
  if (inCall && hadFocus && hadFocus.hidden) part("keypad").focus({ preventScroll: true });
  if (!inCall) setTyped("");
  showOther();
  watchSilence();
  showStatus();
}

function showStatus() {
  const { records, words, keys, digits } = call.waits ?? {};
  const waiting = records ? "waiting_message" : digits !== 1 && keys ? "waiting_number" : words && !keys ? "waiting_words" : "waiting";
  let text = WORDS.status[call.phase === "waiting" ? waiting : call.phase];
  if (call.phase === "waiting" && call.other) text = WORDS.ringing[call.other.speaks ? "connected" : "other_rings"];
  if (silenceAt !== null) {
    const seconds = Math.max(0, Math.ceil((silenceAt - Date.now()) / 1000));
    text = WORDS.status.silence_in.replace("{seconds}", seconds);
  }
  if (part("status").textContent !== text) part("status").textContent = text;
  const seconds = Math.floor((Date.now() - call.began) / 1000);
  if (isInCall()) part("clock").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (["idle", "ringing"].includes(call.phase)) part("clock").textContent = "";
}

function setTyped(keys) {
  call.typed = keys;
  part("entered").textContent = keys;
}

function note(kind, text) {
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = text;
  log.append(line);
  log.scrollTop = log.scrollHeight;
}

function noteCaller(doing, value) {
  note("caller-does", WORDS.caller[doing].replace("{value}", () => value));
}

function excuse(error) {
  showTrouble({ error });
  goOn();
}

function showTrouble(answer, again = null) {
  trouble.replaceChildren();
  log.scrollTop = log.scrollHeight;
  if (!answer) return;
  const told = document.createElement("p");
  told.textContent = WORDS.error[answer.error] ?? WORDS.error.faulty;
  trouble.append(told);
  if (answer.detail && !again) {
    const detail = document.createElement("p");
    detail.className = "detail";
    detail.lang = "en";
    detail.textContent = answer.detail;
    trouble.append(detail);
  }
  if (!again) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "solid";
  button.textContent = WORDS.page.try_again;
  button.addEventListener("click", () => {
    part("keypad").focus({ preventScroll: true });
    again();
  });
  trouble.append(button);
  log.scrollTop = log.scrollHeight;
  button.focus();
}

function showTeam(seen) {
  const view = part("team-view");
  view.replaceChildren();
  part("queue").hidden = call.isAgents;
  if (call.isAgents) return view.append(...calledBack());
  const lead = document.createElement("p");
  const sentence = !seen || seen.unknown ? "unknown" : seen.none ? "none" : "lead";
  lead.textContent = WORDS.team[sentence];
  view.append(lead);
  if (sentence !== "lead") return;
  const badge = document.createElement("p");
  badge.className = `badge ${seen.urgency}`;
  const code = document.createElement("strong");
  code.textContent = seen.urgency;
  badge.append(code, ` ${seen.when}`);
  view.append(badge, rowsOf(seen.rows));
}

function calledBack() {
  const [told, link] = [document.createElement("p"), document.createElement("a")];
  told.textContent = WORDS.ringing.called_back;
  link.href = "/console/";
  link.textContent = WORDS.ringing.console;
  return [told, link];
}

function rowsOf(rows) {
  const list = document.createElement("dl");
  for (const { name, says } of rows) {
    const row = document.createElement("div");
    const term = document.createElement("dt");
    term.textContent = name;
    row.append(term);
    for (const sentence of says) {
      const meaning = document.createElement("dd");
      meaning.textContent = sentence;
      row.append(meaning);
    }
    list.append(row);
  }
  return list;
}

// ---- silence that answers by itself (off unless somebody wants it)

function watchSilence() {
  const isWatched = part("by-itself").checked && call.phase === "waiting" && !call.other;
  silenceAt = isWatched ? Date.now() + (call.waits?.seconds ?? 8) * 1000 : null;
  showStatus();
}

setInterval(() => {
  if (silenceAt !== null && Date.now() >= silenceAt) {
    silenceAt = null;
    does("stay_silent");
  }
  if (isInCall()) showStatus();
}, 250);

// ---- hands

function press(key) {
  const button = [...part("keypad").children].find((candidate) => candidate.dataset.key === key);
  button.classList.add("pressed");
  setTimeout(() => button.classList.remove("pressed"), 160);
  does("press", key);
}

dial.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!isInCall()) ring();
});
say.addEventListener("submit", (event) => {
  event.preventDefault();
  const words = part("words-to-say").value.trim();
  part("words-to-say").value = "";
  if (words) does("say", words);
});
part("hang-up").addEventListener("click", () => (call.endedBy ? telling.cut() : does("hang_up")));
part("answer").addEventListener("click", pickUp);
part("let-it-ring").addEventListener("click", () => refuse(ringing.take()));
part("other-choices").addEventListener("click", (event) => {
  const button = event.target.closest("[data-other]");
  if (button) happensThere(button.dataset.other);
});
part("stay-silent").addEventListener("click", () => does("stay_silent"));
part("whole").addEventListener("click", () => telling.showAll());
part("keypad").addEventListener("click", (event) => {
  const key = event.target.closest(".key");
  if (key && !key.disabled) press(key.dataset.key);
});
part("withheld").addEventListener("change", (event) => (part("from").disabled = event.target.checked));
part("sound").addEventListener("change", (event) => voice.turn(event.target.checked));
part("by-itself").addEventListener("change", watchSilence);
part("words-to-say").addEventListener("input", watchSilence);

document.addEventListener("keydown", (event) => {
  const isWriting = event.target.matches("input:not([type=checkbox]), textarea");
  if (isWriting || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (!isInCall() || !part("number-keys").checked || !/^[0-9*#]$/.test(event.key)) return;
  event.preventDefault();
  press(event.key);
});

// Leaving the page is putting the phone down.
window.addEventListener("pagehide", () => {
  if (isInCall() && call.state && !call.endedBy) {
    post("act", { do: "hang_up", value: "", state: call.state }, { keepalive: true }).catch(() => {});
  }
});

part("needs-script").hidden = true;
part("keypad").closest("main").hidden = false;
enter("idle");
