"""The same calls over real HTTP, to the line as it is served: keep-alive connections, several workers, a real clock."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from callbacks.db import Database
from callbacks.export import record_of_call
from ivr import call_script
from ivr.call_replay import replay
from ivr.phone import Phone
from ivr.terminal import answers_at
from ivr.transport import HttpTransport
from settings import REHEARSAL_ACCOUNT_SID, REHEARSAL_AUTH_TOKEN
from tests.servers import RunningServer

# Calls in which nothing depends on the day or on the hour.
TIMELESS = (
    "en_withheld_number_corrected",
    "nl_zero_from_the_triage",
    "en_second_call_is_linked",
    "nl_bill_keys_and_words",
)


@pytest.mark.parametrize("public_url", [None, "https://line.example"], ids=["direct", "behind a proxy"])
def test_calls_go_over_http_as_they_go_within_the_process(
    public_url: str | None, tmp_path: Path, start_server: Callable[[Mapping[str, str]], RunningServer]
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'line.sqlite3'}")
    env = {"DATABASE_URL": f"sqlite:///{tmp_path / 'line.sqlite3'}"}
    server = start_server(env | ({"PUBLIC_BASE_URL": public_url} if public_url else {}))
    assert answers_at(server.url)
    transport = HttpTransport(connect_to=server.url.removeprefix("http://") if public_url else None)
    phone = Phone(
        transport,
        base_url=public_url or server.url,
        account_sid=REHEARSAL_ACCOUNT_SID,
        auth_token=REHEARSAL_AUTH_TOKEN,
    )
    for name in TIMELESS:
        script = call_script.read(Path(__file__).parent / f"{name}.call")
        last = replay(script, phone, lambda sid: record_of_call(database, sid))
        assert last.troubles == []
    transport.close()
    database.close()
