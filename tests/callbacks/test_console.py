"""The console as an agent uses it: the queue, one request, and what a colleague, a stranger or a fault does to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from callbacks import access
from callbacks.errors import DatabaseUnavailable
from tests.callbacks import people
from tests.ivr.line import Line, settings_for, sqlite

TRIAGE = "113133422111131"  # Dutch, care now, no danger, a doctor, ... called on this number, a message is safe
NUMBER = "+31612345678"


@dataclass
class Agent:
    """Somebody of the team at the console."""

    client: FlaskClient

    def opens(self, address: str = "/console/") -> str:
        """A page that is there."""
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text
        return answer.text

    def presses(self, address: str, **form: str) -> TestResponse:
        """A button of a page, followed to the page it leads to."""
        form["csrf_token"] = people.csrf_token(self.client)
        return self.client.post(address, data=form, follow_redirects=True)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """A line with a console."""
    made = Line(settings_for(sqlite(tmp_path)))
    yield made
    made.close()


@pytest.fixture
def anna(line: Line) -> Agent:
    return Agent(people.signed_in_client(line.app, "anna"))


@pytest.fixture
def bram(line: Line) -> Agent:
    people.join(line.house.database, "anna")
    return Agent(people.signed_in_client(line.app, "bram"))


def asked(line: Line, anna: Agent, from_: str = NUMBER) -> str:
    """The address of a request that a call has just left."""
    reference = (line.dial(from_).presses(*TRIAGE).callback() or {})["reference"]
    found = re.search(rf'href="(/console/requests/[^"]+)">{reference}<', anna.opens(f"/console/?words={reference}"))
    assert found
    return found[1]


def accesses(line: Line) -> list[tuple[str, int | None]]:
    """What the access log says was done, and to how many."""
    query = select(access.accesses.c.action, access.accesses.c["count"]).order_by(access.accesses.c.id)
    return line.house.database.read(lambda connection: [(row[0], row[1]) for row in connection.execute(query)])


def test_an_empty_queue_says_so_kindly(anna: Agent) -> None:
    assert "Nobody is waiting here" in anna.opens()


def test_a_call_is_in_the_queue_with_all_that_decides(line: Line, anna: Agent) -> None:
    asked(line, anna)
    page = anna.opens()
    for words in ("P3", "Likely eligible", "Doctor or hospital", "An adult", "Dutch", "a message may be left"):
        assert words in page
    assert NUMBER not in page


def test_words_of_danger_and_withheld_numbers_are_seen_in_the_list(line: Line, anna: Agent) -> None:
    line.dial("anonymous").presses("1").says("mijn kind kan niet ademen").presses("0", "1").hangs_up()
    page = anna.opens()
    assert "breathing" in page
    assert "no number" in page


def test_anna_takes_the_next_reads_it_wraps_it_up_and_takes_that_back(line: Line, anna: Agent) -> None:
    address = asked(line, anna)
    page = anna.presses(f"{address}/claim").text
    assert "Anna has it" in page
    assert "Doctor or hospital" in page
    assert "Voor Nederlands, druk op 1." in page
    done = anna.presses(f"{address}/wrap-up", disposition="information_given", note="Told where to go.").text
    assert "Closed" in done
    assert "Information given" in done
    assert "Told where to go." in done
    assert "Anna has it" in anna.presses(f"{address}/undo").text
    assert "back in the queue" in anna.presses(f"{address}/release").text


def test_next_gives_the_most_urgent_or_says_that_there_is_none(line: Line, anna: Agent) -> None:
    assert "Nobody is waiting whom you can phone now" in anna.presses("/console/next").text
    line.dial().presses("1", "1", "1", "1", "1")  # danger: P0, also when the office is closed
    assert "Danger to life" in anna.presses("/console/next").text


def test_a_claim_lost_to_a_colleague_says_to_whom(line: Line, anna: Agent, bram: Agent) -> None:
    address = asked(line, anna)
    anna.presses(f"{address}/claim")
    assert "Anna heeft deze vraag al" in bram.presses(f"{address}/claim").text


def test_the_number_is_shown_on_a_click_which_is_logged(line: Line, anna: Agent) -> None:
    address = asked(line, anna)
    assert NUMBER not in anna.opens(address)
    assert NUMBER in anna.presses(f"{address}/number").text
    assert [action for action, _ in accesses(line) if action != "signed_in"] == ["search", "view", "number"]


def test_every_list_and_search_is_a_row_in_the_access_log(line: Line, anna: Agent) -> None:
    asked(line, anna)
    anna.opens()
    anna.opens("/console/?words=nothing")
    assert accesses(line)[-3:] == [("search", 1), ("list", 1), ("search", 0)]


def test_a_read_that_cannot_be_logged_shows_nothing(line: Line, anna: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    address = asked(line, anna)

    def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("the log is full")

    monkeypatch.setattr(access, "note", refuse)
    answer = anna.client.get(address)
    assert answer.status_code == 503
    assert "Likely eligible" not in answer.text
    assert "Nothing is lost" in answer.text


def test_cancelling_asks_why_and_says_what_it_means(line: Line, anna: Agent) -> None:
    address = asked(line, anna)
    assert "Nobody will phone this caller any more." in anna.opens(address)
    assert "Something is missing" in anna.presses(f"{address}/cancel", reason=" ").text
    assert "Cancelled" in anna.presses(f"{address}/cancel", reason="The caller came to the door").text
    assert "Waiting <strong>0</strong>" in anna.opens()


def test_notes_stay_and_nothing_that_is_typed_or_said_becomes_code(line: Line, anna: Agent) -> None:
    line.dial().presses("1").says("<script>alert(1)</script>").presses("0", "1", "1")
    address = re.findall(r"/console/requests/[\w-]+", anna.opens())[0]
    page = anna.presses(f"{address}/note", note="<img src=x onerror=alert(1)>").text
    assert "&lt;img src=x" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_lists_are_bookmarks_and_an_old_one_still_opens(line: Line, anna: Agent) -> None:
    asked(line, anna)
    assert "Likely eligible" in anna.opens("/console/?urgency=P3&status=queued&need=doctor&language=nl")
    assert "Nobody is waiting here" in anna.opens("/console/?urgency=P0")
    assert "Likely eligible" in anna.opens("/console/?status=nonsense&urgency=P9&after=%00&page=7")


def test_a_long_list_goes_on(line: Line, anna: Agent) -> None:
    for number in range(52):
        line.dial(f"+3161234{number:04}").presses("1", "0", "1", "1")
    page = anna.opens("/console/?status=queued")
    more = re.search(r'href="/console/(\?status=queued&amp;after=[^"]+)"', page)
    assert page.count("<li id=") == 50
    assert more
    assert anna.opens("/console/" + more[1].replace("&amp;", "&")).count("<li id=") == 2


@pytest.mark.parametrize("address", ["/console/requests/nobody", "/console/requests/%00", "/console/nowhere"])
def test_what_is_not_there_is_not_found(anna: Agent, address: str) -> None:
    assert anna.client.get(address).status_code == 404


def test_a_stranger_sees_and_changes_nothing(line: Line, anna: Agent) -> None:
    address = asked(line, anna)
    stranger = people.browser(line.app)
    for page in ("/console/", address):
        assert stranger.get(page).headers["Location"].startswith("/console/sign-in")
    for button in ("claim", "release", "wrap-up", "undo", "cancel", "note", "number"):
        assert stranger.post(f"{address}/{button}").status_code in (302, 400, 403)
        assert anna.client.post(f"{address}/{button}").status_code == 400  # without the page's own token
    assert "Waiting <strong>1</strong>" in anna.opens()


def test_bram_reads_it_in_dutch(line: Line, anna: Agent, bram: Agent) -> None:
    address = asked(line, anna)
    assert "Waarschijnlijk recht" in bram.opens()
    assert "Nummer tonen" in bram.opens(address)
