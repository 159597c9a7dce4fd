// What is heard and read: speaks the line's words and shows each sentence as it is spoken.
// A recording is played; else espeak-ng speaks on the server; else a voice of this browser's own that needs no network;
// else the words are only shown, at the pace of reading. phone.js says what is to be told, and when to stop.

const SPOKEN_WORDS_A_SECOND = 2.5;
const READ_WORDS_A_SECOND = 3.5;
const LONGEST_VOICE = 3; // times as long as a browser's voice should take; some never say that they have finished
const PAUSE_BETWEEN = 0.25; // seconds between one voice and the next
const [RING, RING_PAUSE, RINGS_FOR, RING_LOUDNESS] = [1, 4, 30, 0.12]; // seconds, and a loudness that startles nobody

export class Voice {
  #context = null;
  #gain = null;
  #fetchSpoken;
  isOn = true;

  constructor(fetchSpoken) {
    this.#fetchSpoken = fetchSpoken;
  }

  // Browsers allow sound only after a person has done something: call this from a click or a key.
  unlock() {
    if (!this.#context && window.AudioContext) {
      this.#context = new AudioContext();
      this.#gain = this.#context.createGain();
      this.#gain.connect(this.#context.destination);
      this.turn(this.isOn);
    }
    this.#context?.resume().catch(() => {});
  }

  turn(isOn) {
    this.isOn = isOn;
    if (this.#gain) this.#gain.gain.value = isOn ? 1 : 0;
    if (!isOn) window.speechSynthesis?.cancel();
  }

  // A phone that rings, until the function that comes back is called; silent where a browser allows no sound yet.
  ring() {
    if (!navigator.userActivation?.hasBeenActive) return () => {};
    this.unlock();
    if (!this.#context) return () => {};
    const [tone, loudness, begin] = [new OscillatorNode(this.#context, { frequency: 425 }), new GainNode(this.#context, { gain: 0 }), this.#context.currentTime];
    for (let at = 0; at < RINGS_FOR; at += RING + RING_PAUSE) {
      loudness.gain.setTargetAtTime(RING_LOUDNESS, begin + at, 0.02);
      loudness.gain.setTargetAtTime(0, begin + at + RING, 0.02);
    }
    tone.connect(loudness).connect(this.#gain);
    tone.start();
    tone.stop(begin + RINGS_FOR);
    return () => tone.stop();
  }

  async load(caption) {
    if (!this.isOn || !this.#context || !(caption.recording || caption.words)) return null;
    try {
      const answer = caption.recording ? await fetch(caption.recording) : await this.#fetchSpoken(caption.words);
      return answer.ok ? await this.#context.decodeAudioData(await answer.arrayBuffer()) : null;
    } catch {
      return null;
    }
  }

  // Start to sound; gives how long it takes, and how to wait for its end and to stop it.
  play(buffer, caption) {
    if (buffer) return this.#playBuffer(buffer);
    const words = caption.aloud.split(/\s+/).length;
    const own = this.isOn ? ownVoice(caption.language) : null;
    if (!own) return { seconds: words / READ_WORDS_A_SECOND, ended: Promise.resolve(), stop() {} };
    return playOwn(own, caption, words / SPOKEN_WORDS_A_SECOND);
  }

  #playBuffer(buffer) {
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#gain);
    source.start();
    return { seconds: buffer.duration, ended: Promise.resolve(), stop: () => source.stop() };
  }
}

function ownVoice(language) {
  const voices = window.speechSynthesis?.getVoices() ?? [];
  const base = language.slice(0, 2);
  return voices.find((voice) => voice.localService && voice.lang.slice(0, 2) === base) ?? null;
}

function playOwn(voice, caption, seconds) {
  const spoken = new SpeechSynthesisUtterance(caption.aloud);
  spoken.voice = voice;
  spoken.lang = caption.language;
  const said = new Promise((resolve) => {
    spoken.onend = resolve;
    spoken.onerror = resolve;
  });
  window.speechSynthesis.speak(spoken);
  return {
    seconds,
    ended: Promise.race([said, sleep(seconds * LONGEST_VOICE)]),
    stop: () => window.speechSynthesis.cancel(),
  };
}

export class Telling {
  #log;
  #voice;
  #now = null;

  constructor(log, voice) {
    this.#log = log;
    this.#voice = voice;
  }

  // Say all of this; comes back when it was said, shown at once (`showAll`) or broken off (`cut`).
  async tell(captions) {
    const telling = { isCut: false, isWhole: false };
    telling.interrupted = new Promise((resolve) => (telling.interrupt = resolve));
    this.#now = telling;
    const sounds = captions.map((caption) => this.#voice.load(caption));
    for (const [index, caption] of captions.entries()) {
      if (telling.isCut) break;
      await this.#tellOne(telling, caption, sounds[index]);
    }
    if (this.#now === telling) this.#now = null;
  }

  // The caller answers while the line speaks: it stops, and what it did not say is not shown.
  cut() {
    if (this.#now) {
      this.#now.isCut = true;
      this.#now.interrupt();
    }
  }

  showAll() {
    if (this.#now) {
      this.#now.isWhole = true;
      this.#now.interrupt();
    }
  }

  async #tellOne(telling, caption, loading) {
    const isSilent = () => telling.isCut || telling.isWhole;
    const sound = isSilent() ? null : await Promise.race([loading, telling.interrupted]);
    const playing = isSilent() ? null : this.#voice.play(sound ?? null, caption);
    const sentences = sentencesOf(caption.text);
    const length = sentences.reduce((sum, sentence) => sum + sentence.length, 0);
    const line = this.#line(caption);
    for (const sentence of sentences) {
      this.#add(line, sentence);
      if (playing && !isSilent()) {
        await Promise.race([sleep((playing.seconds * sentence.length) / length), telling.interrupted]);
      }
      if (telling.isCut) break;
    }
    if (playing && !isSilent()) {
      await Promise.race([playing.ended.then(() => sleep(PAUSE_BETWEEN)), telling.interrupted]);
    }
    if (isSilent()) playing?.stop();
  }

  #line(caption) {
    const line = document.createElement("div");
    const mark = document.createElement("span");
    const words = document.createElement("p");
    line.className = "line-says";
    mark.className = "mark";
    mark.textContent = caption.language.slice(0, 2);
    mark.setAttribute("aria-hidden", "true");
    words.lang = caption.language;
    line.append(mark, words);
    return line;
  }

  #add(line, sentence) {
    const words = document.createElement("span");
    words.textContent = `${sentence} `;
    line.lastElementChild.append(words);
    if (!line.isConnected) this.#log.append(line);
    this.#log.scrollTop = this.#log.scrollHeight;
  }
}

export function sleep(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

function sentencesOf(text) {
  return text.split(/(?<=[.!?])\s+/).filter((sentence) => sentence);
}
