// The agent's phone, when somebody in the console calls back: looks whether it rings, rings, and lets it be after a while.
// phone.js answers with it; a caller's phone in use is not disturbed, because a person has one pair of ears.

const LOOK_EVERY = 2000; // ms
const LOOK_LATER = 15_000; // where the line did not answer
const RINGS_FOR = 25_000; // as the provider lets an agent's phone ring

export class Ringing {
  #now = null;
  #since = 0;
  #lookAt = 0;
  #quiet = () => {};
  #hooks;

  // hooks: isFree() says whether it may ring now; rings(call), stops() and expires(call) what happens; sound() begins the
  // sound of ringing and gives the way to end it.
  constructor(hooks) {
    this.#hooks = hooks;
    document.addEventListener("visibilitychange", () => (this.#lookAt = 0));
    setInterval(() => this.#tick(), 500);
  }

  // The call was answered or refused: it rings no more. Gives the call, or null where none rings.
  take() {
    const call = this.#now;
    this.#end();
    this.#lookAt = Date.now() + LOOK_EVERY;
    return call;
  }

  #tick() {
    const now = Date.now();
    if (this.#now && now - this.#since > RINGS_FOR) return this.#hooks.expires(this.take());
    if (document.hidden || now < this.#lookAt || !(this.#now || this.#hooks.isFree())) return;
    this.#lookAt = now + LOOK_EVERY;
    this.#look();
  }

  async #look() {
    try {
      const answer = await fetch("/phone/ringing", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
      const { ringing } = await answer.json();
      if (ringing && !this.#now && this.#hooks.isFree()) this.#begin(ringing);
      else if (this.#now && ringing?.id !== this.#now.id) this.#stop();
    } catch {
      this.#lookAt = Date.now() + LOOK_LATER;
    }
  }

  #begin(call) {
    this.#now = call;
    this.#since = Date.now();
    this.#hooks.rings(call);
    this.#quiet = this.#hooks.sound();
  }

  #stop() {
    this.#end();
    this.#hooks.stops();
  }

  #end() {
    this.#now = null;
    this.#quiet();
    this.#quiet = () => {};
  }
}
