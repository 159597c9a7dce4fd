"""What can go wrong on the caller's side of the line: the errors of `phone` and of all that it rests on.

Each error says in its message what a person at the phone can understand, and carries the facts as attributes.
"""

from __future__ import annotations


class PhoneError(Exception):
    """Something is wrong with the call, with the line's answer, or with what the caller tried."""


class BadSid(PhoneError):
    """A call or account has an identifier that the provider would never give out."""

    def __init__(self, name: str, sid: str) -> None:
        super().__init__(f"{name} must be two capitals and 32 hexadecimal digits, not {sid!r}")
        self.name, self.sid = name, sid


class NoCall(PhoneError):
    """There is no call to act in: not dialled yet, or over."""


class AlreadyDialled(PhoneError):
    """This phone has dialled before; another call is made by `new_call`."""


class NotListening(PhoneError):
    """The line does not listen to this now: words at a keypad-only gather, keys at a speech-only one."""


class NotOnKeypad(PhoneError):
    """Keys that no telephone has."""

    def __init__(self, keys: str) -> None:
        super().__init__(f"A telephone has the keys 0 to 9, * and #; {keys!r} has others")
        self.keys = keys


class NoAnswer(PhoneError):
    """The line gave no complete answer in time."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"No answer from {url}: {reason}")
        self.url, self.reason = url, reason


class NoConnection(NoAnswer):
    """Nobody listens at the line's address; nothing was delivered."""


class BadAnswer(PhoneError):
    """An answer with another status than 200."""

    def __init__(self, url: str, status: int, body: str = "") -> None:
        super().__init__(f"{url} answered {status}: {body[:200]}")
        self.url, self.status, self.body = url, status, body


class NotTwiml(PhoneError):
    """An answer that is not text/xml, and so would be read aloud or refused."""

    def __init__(self, url: str, content_type: str) -> None:
        super().__init__(f"{url} answered {content_type!r} instead of text/xml")
        self.url, self.content_type = url, content_type


class TooManyRedirects(PhoneError):
    """The line sent the call from document to document without ever waiting for the caller."""

    def __init__(self, url: str, at_most: int) -> None:
        super().__init__(f"More than {at_most} redirects in a row, the last one to {url}")
        self.url, self.at_most = url, at_most


class ForeignAddress(PhoneError):
    """A document leads the call away from the line; a rehearsal must not post a signed form elsewhere."""

    def __init__(self, url: str, base_url: str) -> None:
        super().__init__(f"{url} does not belong to {base_url}")
        self.url, self.base_url = url, base_url


class TwimlError(PhoneError):
    """A document that the provider would refuse, or that would not do what it seems to say."""

    def __init__(self, verb: str, reason: str) -> None:
        super().__init__(f"<{verb}>: {reason}")
        self.verb, self.reason = verb, reason


class NotXml(TwimlError):
    """The document cannot be read at all."""


class UnknownVerb(TwimlError):
    """A verb that there is not."""


class Misplaced(TwimlError):
    """A verb or words in a place where they are not allowed."""


class Unreachable(TwimlError):
    """A verb that the call never comes to."""


class UnknownAttribute(TwimlError):
    """An attribute that the verb does not have."""

    def __init__(self, verb: str, attribute: str) -> None:
        super().__init__(verb, f"has no attribute {attribute!r}")
        self.attribute = attribute


class MissingAttribute(TwimlError):
    """An attribute whose default would surprise the caller, so that it must be written down."""

    def __init__(self, verb: str, attribute: str) -> None:
        super().__init__(verb, f"needs the attribute {attribute!r}")
        self.attribute = attribute


class BadValue(TwimlError):
    """An attribute or a text with a value that is not allowed."""

    def __init__(self, verb: str, attribute: str, value: str, wanted: str) -> None:
        super().__init__(verb, f"{attribute} must be {wanted}, not {value[:80]!r}")
        self.attribute, self.value, self.wanted = attribute, value, wanted


class ScriptError(PhoneError):
    """A call script that cannot be read, or a call that did not go as it says: names the file and the line."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


class Unreadable(ScriptError):
    """A line of a script that says nothing known."""


class NotAsWritten(ScriptError):
    """The call went otherwise than the script says."""

    def __init__(self, path: str, line: int, expected: str, found: str) -> None:
        super().__init__(path, line, f"expected {expected}\n  but {found}")
        self.expected, self.found = expected, found
