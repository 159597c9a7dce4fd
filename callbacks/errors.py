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
