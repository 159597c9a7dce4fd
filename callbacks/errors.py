"""What can go wrong in the queue: one base, children named for what happened.

Translated once, at the edge: `ivr.webhooks` turns them into a kind sentence, the command line into a message and an
exit code. Facts are attributes, the cause is kept (`raise ... from`).
"""


class CallbackError(Exception):
    """Anything the `callbacks` package refuses or fails to do."""


class DatabaseUnavailable(CallbackError):
    """The database did not answer in time, or could not do its work: locked, frozen, down, full or unreachable.

    Nothing may be promised to the caller. The work may still have been committed if the failure came during the commit;
    whoever does it again must find that out from the rows, as for a webhook that is delivered twice.
    """


class StepAlreadyTaken(CallbackError):
    """Another webhook answered this turn of the call first; its answer stands."""

    def __init__(self, call_id: int, number: int) -> None:
        super().__init__(f"call {call_id} has step {number} already")
        self.call_id = call_id
        self.number = number


class NoSuchAgent(CallbackError):
    """Nobody in the team has this login."""

    def __init__(self, login: str) -> None:
        super().__init__(f"nobody has the login {login}")
        self.login = login


class LoginTaken(CallbackError):
    """Somebody in the team has this login already."""

    def __init__(self, login: str) -> None:
        super().__init__(f"somebody has the login {login}")
        self.login = login


class NotAllowed(CallbackError):
    """This was done already, or is not for this agent to do; `why` is for whoever builds the console."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoSuchCallback(CallbackError):
    """There is no callback under this public id: mistyped, or long since taken out."""

    def __init__(self, public_id: str) -> None:
        super().__init__("there is no such callback")
        self.public_id = public_id


class AlreadyClaimed(CallbackError):
    """Somebody else has it; `by` is their name."""

    def __init__(self, by: str) -> None:
        super().__init__(f"{by} has this callback")
        self.by = by


class NotYours(CallbackError):
    """Only whoever has claimed it, or a coordinator, may do this; `by` is the name of whoever has it or did it."""

    def __init__(self, by: str) -> None:
        super().__init__(f"this is for {by} or a coordinator to do")
        self.by = by


class IllegalMove(CallbackError):
    """A callback in this `status` cannot become `wanted` (both of `lifecycle.Status`)."""

    def __init__(self, status: str, wanted: str) -> None:
        super().__init__(f"a {status} callback cannot become {wanted}")
        self.status = status
        self.wanted = wanted


class TooLateToUndo(CallbackError):
    """The minute in which a wrap-up can be undone has passed, or there is none to undo."""


class Missing(CallbackError):
    """What somebody has to say before this can be done was not said: `what` is "reason", "referral" or "note"."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the {what} is missing")
        self.what = what


class MessageNotAllowed(CallbackError):
    """No message may be left for this caller, who said no or (not `was_asked`) was never asked, which counts as no."""

    def __init__(self, *, was_asked: bool) -> None:
        super().__init__("the caller allowed no message" if was_asked else "the caller was not asked about messages")
        self.was_asked = was_asked


class UnusableMoment(CallbackError, ValueError):
    """At this moment nobody can be called again: `why` is "past", "far", or "answered" where somebody was reached."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no moment to call again: {why}")
        self.why = why


class TooManyAtOnce(CallbackError):
    """More people sign in at this moment than the line has room for beside its callers."""


class NoSuchOutgoingCall(CallbackError):
    """No call to a caller has this id."""

    def __init__(self, public_id: str) -> None:
        super().__init__("there is no such outgoing call")
        self.public_id = public_id


class NoNumber(CallbackError):
    """This caller left no number at which they could be called back."""


class NoPhone(CallbackError):
    """The line knows no phone of this agent that it could ring."""


class CallInProgress(CallbackError):
    """This callback is being called, or this agent's phone is in use: by `by` (a name), at callback `public_id`."""

    def __init__(self, by: str, public_id: str) -> None:
        super().__init__(f"{by} is calling already")
        self.by = by
        self.public_id = public_id


class TooManyCalls(CallbackError):
    """This number, or the line as a whole, was called so often in a day that something must be wrong."""


class NeedsOverride(CallbackError):
    """Something speaks against calling now: `warnings` (of `calling.CallWarning`); an agent may put them aside."""

    def __init__(self, warnings: tuple[str, ...]) -> None:
        super().__init__(f"to be put aside first: {', '.join(warnings)}")
        self.warnings = warnings


class MailFailed(CallbackError):
    """An e-mail did not go out; `reason` is a code or a kind of error, never the words of a server."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the e-mail was not sent: {reason}")
        self.reason = reason


class MailRefused(MailFailed):
    """It will not go out until somebody mends something: the settings, the certificate, the mailbox."""


class MailDelayed(MailFailed):
    """It may go out later: the mail server was away, busy or slow."""
