/* Words for the reader: the page brings them in the reader's language, and one polite region speaks them. */

const phrases = document.getElementById("phrases").dataset;

/** A sentence of the page, with its placeholders such as {time} filled in. */
export function phrase(name, values = {}) {
  return phrases[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

/** Let a screen reader say this when it is done with what it says now. */
export function say(text) {
  const region = document.getElementById("said");
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50); // the same words twice are news twice
}

/** What is remembered in this browser or tab; a browser that forbids it just forgets. */
export function remembered(store, name) {
  try {
    return window[store].getItem(`zorglijn-${name}`);
  } catch {
    return null;
  }
}

/** Remember this, or forget it where the value is null. */
export function remember(store, name, value) {
  try {
    if (value === null) window[store].removeItem(`zorglijn-${name}`);
    else window[store].setItem(`zorglijn-${name}`, value);
  } catch {
    // full or forbidden: the page works all the same
  }
}
