"""The line's synthetic voice in a rehearsal: espeak-ng on this machine, where it is installed.

A real line speaks with the provider's voices or with recordings; this is for the phone in the browser (`rehearsal`),
so that a colleague hears Dutch in Dutch and English in English. Where it is missing, the browser's own voice may speak.
"""

from __future__ import annotations

import io
import logging
import re
import shutil
import subprocess
import wave

log = logging.getLogger("zorglijn.sound")

WORDS_A_MINUTE = 150  # the pace that the lengths of the prompts are counted at
LONGEST_SECONDS = 10.0  # espeak-ng takes a tenth of a second for the longest prompt
_SPELT = re.compile(r"\b(11)([23])\b")  # emergency numbers are spoken digit by digit


def program() -> str | None:
    """Where espeak-ng is, or None where it is not installed."""
    return shutil.which("espeak-ng")


def aloud(text: str) -> str:
    """The words as a voice must be given them: an emergency number digit by digit."""
    return _SPELT.sub(r"1 1 \2", text)


def speak(text: str, voice: str) -> bytes | None:
    """Speak this text with this voice of espeak-ng ("nl", "en-gb"), as a WAV; None where that is not possible."""
    found = program()
    if found is None:
        return None
    command = [found, "-v", voice, "-s", str(WORDS_A_MINUTE), "-b", "1", "--stdin", "--stdout"]
    try:
        # No shell, the words on standard input: whatever they are, they are only ever read aloud.
        spoken = subprocess.run(  # noqa: S603
            command, input=aloud(text).encode(), capture_output=True, timeout=LONGEST_SECONDS, check=True
        )
        return _whole(spoken.stdout)
    except (OSError, subprocess.SubprocessError, wave.Error, EOFError) as error:
        log.warning("voice_failed", extra={"error": type(error).__name__})
        return None


def _whole(streamed: bytes) -> bytes:
    """The same sound with its true length in the header: a program that writes into a pipe cannot know it."""
    with wave.open(io.BytesIO(streamed)) as heard:
        shape, frames = heard.getparams(), heard.readframes(len(streamed))
    whole = io.BytesIO()
    with wave.open(whole, "wb") as written:
        written.setnchannels(shape.nchannels)
        written.setsampwidth(shape.sampwidth)
        written.setframerate(shape.framerate)
        written.writeframes(frames)
    return whole.getvalue()
