/* Shows how many alerts there are in the title of the page, and sounds two calm tones, once for each alert.

   The tones are made here, not loaded. A browser lets no page sound before somebody has clicked or pressed a key. */

import { phrase, remember, remembered } from "./saying.js";

const TONES = [
  { pitch: 587.33, at: 0 }, // hertz, seconds: a fourth upwards, soft and short
  { pitch: 783.99, at: 0.22 },
];
const LOUDNESS = 0.12;
const MOST_REMEMBERED = 200;
const title = document.title;
let context = null;
let isOwed = false;

const isMuted = () => remembered("localStorage", "muted") === "yes";
const alerts = () => (document.getElementById("alerts").dataset.ids ?? "").split(" ").filter(Boolean);

export function beginAlerts() {
  document.getElementById("mute").addEventListener("click", () => {
    remember("localStorage", "muted", isMuted() ? null : "yes");
    listen();
  });
  window.addEventListener("storage", listen); // muted in another tab
  for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, wake);
  document.addEventListener("htmx:afterSwap", look);
  listen();
  look();
}

function listen() {
  if (!isMuted() && !context && window.AudioContext) {
    context = new AudioContext();
    context.onstatechange = show;
  }
  show();
}

function show() {
  document.getElementById("mute").setAttribute("aria-pressed", String(isMuted()));
  const waits = context?.state === "suspended";
  const state = isMuted() || !context ? "soundOff" : waits ? "soundWaits" : "soundOn";
  const line = document.getElementById("sound-state");
  if (line.textContent !== phrase(state)) line.textContent = phrase(state);
}

function wake() {
  if (context?.state !== "suspended") return;
  context.resume().then(() => {
    show();
    if (isOwed) sound();
  });
}

function look() {
  const now = alerts();
  document.title = now.length ? `(${now.length}) ${title}` : title;
  const heard = (remembered("sessionStorage", "heard") ?? "").split(" ");
  const fresh = now.filter((id) => !heard.includes(id));
  if (!fresh.length) return;
  remember("sessionStorage", "heard", [...heard, ...fresh].slice(-MOST_REMEMBERED).join(" "));
  sound();
}

function sound() {
  isOwed = context?.state === "suspended" && !isMuted();
  if (isMuted() || context?.state !== "running") return;
  for (const { pitch, at } of TONES) tone(pitch, context.currentTime + at);
}

function tone(pitch, begins) {
  const source = new OscillatorNode(context, { type: "sine", frequency: pitch });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, begins);
  volume.gain.linearRampToValueAtTime(LOUDNESS, begins + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.001, begins + 0.5);
  source.connect(volume).connect(context.destination);
  source.start(begins);
  source.stop(begins + 0.55);
}
