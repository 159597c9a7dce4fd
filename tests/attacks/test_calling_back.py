"""Calling back over real HTTP, with several workers: whoever clicks, however often at once, one phone rings once."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from urllib.parse import urlencode, urlsplit

import pytest

from callbacks.calling import CallWarning, Progress, State
from callbacks.db import Database
from callbacks.provider import TwilioProvider
from callbacks.provider_wire import Wire
from callbacks.ringing import Ringer
from settings import REHEARSAL_LINE_NUMBER
from tests.callbacks.call_house import CallHouse
from tests.callbacks.people import join, signed_in_token
from tests.servers import RunningServer
from tests.standins import twilio_api as twilio
from tests.standins.twilio_api import ACCOUNT, TOKEN, Behaviour, TwilioApi

StartServer = Callable[[Mapping[str, str]], RunningServer]
CLICKS = 6  # of each agent


class Office(CallHouse):
    """The office of the tests' people, at this very moment."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, datetime.now(UTC)

    def waits_for(self, asked: str, state: State) -> Progress:
        """The call of this request, once it has come this far."""
        deadline = time.monotonic() + 20
        while (call := self.progress(asked)).state is not state:
            assert time.monotonic() < deadline, f"it stays {call.state}"
            time.sleep(0.05)
        return call


class Agent:
    """A browser of somebody who has signed in, with the request's page open."""

    def __init__(self, server: RunningServer, database: Database, login: str, asked: str) -> None:
        self._address = urlsplit(server.url).netloc
        self._cookies = f"__Host-zorglijn={signed_in_token(database, login, datetime.now(UTC))}"
        self._page = f"/console/requests/{asked}"
        shown, headers = self._ask("GET", self._page)
        found = re.search(r'name="csrf_token" value="([^"]+)"', shown)
        assert found is not None
        cookies = [value.partition(";")[0] for name, value in headers if name.lower() == "set-cookie"]
        self._cookies = "; ".join([self._cookies, *cookies])
        self._form = [("csrf_token", found[1]), *(("override", warning.value) for warning in CallWarning)]

    def calls_back(self) -> None:
        """Press the button."""
        self._ask("POST", f"{self._page}/call", urlencode(self._form))

    def _ask(self, method: str, path: str, form: str | None = None) -> tuple[str, list[tuple[str, str]]]:
        connection = http.client.HTTPConnection(self._address, timeout=20)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(method, path, form, {"Cookie": self._cookies, **kind})
        answer = connection.getresponse()
        shown, headers = answer.read().decode(), answer.getheaders()
        connection.close()
        assert answer.status in (200, 303)
        return shown, headers


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    database = Database(database_url)
    database.migrate()
    yield Office(database)
    database.close()


@pytest.fixture
def api() -> Iterator[TwilioApi]:
    with TwilioApi() as standing_in:
        yield standing_in


def env(database_url: str, api: TwilioApi) -> dict[str, str]:
    """A line that asks the stand-in for calls."""
    ours = {"TWILIO_API_BASE_URL": api.url, "TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
    return {"DATABASE_URL": database_url, **ours}


def test_two_agents_who_click_again_and_again_ring_one_phone_once(
    start_server: StartServer, database_url: str, office: Office, api: TwilioApi
) -> None:
    asked = office.calls()
    api.next(twilio.slow)
    server = start_server(env(database_url, api))
    agents = [Agent(server, office.database, login, asked) for login in ("anna", "bram")]
    together = Barrier(CLICKS * len(agents))

    def click(agent: Agent) -> None:
        together.wait()
        agent.calls_back()

    with ThreadPoolExecutor(together.parties) as threads:
        list(threads.map(click, agents * CLICKS))
    rung = office.waits_for(asked, State.RINGING_AGENT)
    assert (len(api.calls), api.asked("POST"), len(office.rows())) == (1, 1, 1)
    assert api.calls[0].to == join(office.database, rung.by.lower()).phone


@pytest.mark.parametrize("behaviour", [twilio.slow, twilio.hung])
def test_a_server_killed_while_the_provider_is_asked_makes_no_second_call(
    start_server: StartServer,
    database_url: str,
    office: Office,
    api: TwilioApi,
    behaviour: Behaviour,
) -> None:
    asked = office.calls()
    api.patience = 10
    api.next(behaviour)
    server = start_server(env(database_url, api))
    Agent(server, office.database, "anna", asked).calls_back()
    while not api.asked("POST"):
        time.sleep(0.02)
    server.kill_hard()
    assert office.progress(asked).state is State.ASKED
    later = datetime.now(UTC) + timedelta(seconds=20)
    provider = TwilioProvider(ACCOUNT, TOKEN, Wire(api.url))
    another = Ringer(
        office.database, provider, lambda: later, server.url, REHEARSAL_LINE_NUMBER, start=lambda work: None
    )
    another.reconcile()
    later += timedelta(seconds=21)
    another.reconcile()
    expected = (State.RINGING_AGENT, 1) if behaviour is twilio.slow else (State.NOT_PLACED, 0)
    assert (office.progress(asked).state, len(api.calls)) == expected
    assert api.asked("POST") == 1
