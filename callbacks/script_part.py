"""The call scripts on the page of a request: chosen, filled in, and with the organisations that they name.

A part of `request_view`: that gathers in the thread that writes, where no page has a language yet, so the template asks
for each script when it shows it. `scripts` chooses, the words of the headings are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from flask_babel import LazyString, get_locale, lazy_gettext

from callbacks import directory, scripts
from callbacks.desk import Desk
from callbacks.directory import Referral
from callbacks.queue_views import Entry
from callbacks.script_files import Script
from callbacks.staff import Member

if TYPE_CHECKING:
    from callbacks.request_view import Look

HEADINGS: Mapping[str, LazyString] = {
    "check": lazy_gettext("First: is it the person who asked?"),
    "start": lazy_gettext("Then: who we are"),
    "ask": lazy_gettext("Ask"),
    "tell": lazy_gettext("Tell"),
    "do": lazy_gettext("Do"),
    "close": lazy_gettext("To end"),
    "care": lazy_gettext("Keep in mind"),
    "call": lazy_gettext("Calling the doctor, hospital or pharmacy"),
    "message": lazy_gettext("Does it go to voicemail?"),
    "answer": lazy_gettext("Does somebody else answer?"),
}


@dataclass(frozen=True)
class RequestScripts:
    """The scripts for one request, phoned by one agent; each in the language of the page that asks for it."""

    entry: Entry
    agent: Member
    today: date
    desk: Desk

    @property
    def call(self) -> tuple[Script, ...]:
        """The call itself, from picking up to goodbye."""
        own = scripts.script_for(self.entry, str(get_locale()))
        return self._shared("opening"), self._filled(own), self._shared("closing")

    @property
    def foreign_language(self) -> str | None:
        """The caller's language, where neither this agent nor a script speaks it; None otherwise."""
        language = self.entry.callback_language or self.entry.language
        is_spoken = language is None or language in self.agent.languages or language in scripts.library().scripts
        return None if is_spoken else language

    @property
    def keep_in_mind(self) -> Script:
        """What holds for every call: what is never said and never asked."""
        return self._shared("keep_in_mind")

    @property
    def provider(self) -> Script:
        """Phoning a doctor, hospital or pharmacy for the caller."""
        return self._shared("provider")

    @property
    def voicemail(self) -> Script | None:
        """The message that may be left; None where the caller did not allow any."""
        return self._shared("voicemail") if self.entry.safe_message is True else None

    @property
    def somebody_else(self) -> Script:
        """What to say to anybody but the caller."""
        return self._shared("somebody_else")

    def referral(self, key: str) -> Referral | None:
        """The organisation that a script names, where this line's directory has it."""
        return directory.find(self.desk.directory, key)

    def heading(self, name: str) -> LazyString:
        """The words above a part of a script."""
        return HEADINGS[name]

    def _shared(self, name: str) -> Script:
        return self._filled(scripts.shared_for(name, self.entry, str(get_locale())))

    def _filled(self, script: Script) -> Script:
        values = {
            "agent": self.agent.name.split(" ")[0],
            "organisation": self.desk.organisation,
            "reference": self.entry.reference,
            "days_kept": str(self.desk.days_kept),
        }
        return script.filled(values)


def part(look: Look) -> Mapping[str, object]:
    """What request_scripts.html needs: `scripts`; they name the agent by the first name only."""
    today = look.now.astimezone(look.desk.office.zone).date()
    return {"scripts": RequestScripts(look.story.entry, look.member, today, look.desk)}
