"""The benchmark measures what it says; what a web worker must not load, or do twice. No test here looks at a clock."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path
from unittest import mock

import pytest
from twilio.twiml.voice_response import VoiceResponse

from app import House, create_app
from bench import report, tutorial
from bench.contest import POSTGRESQL, SQLITE, Cell, Contestant, Plan, Result, environment, ours, rivals, run
from bench.replay import replay
from bench.screens import screens
from bench.served import Setup
from bench.steps import KEYS, STEPS_A_CALL, calls
from settings import HERE, REHEARSAL_AUTH_TOKEN, REHEARSAL_BASE_URL, Settings

SMALL = Setup("gunicorn", workers=1, threads=2)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return environment(f"sqlite:///{tmp_path}/line.sqlite3") | {"PUBLIC_BASE_URL": REHEARSAL_BASE_URL}


@pytest.mark.server
@pytest.mark.timeout(120)
@pytest.mark.parametrize("database", [SQLITE, POSTGRESQL])
@pytest.mark.parametrize("server", ["gunicorn", "granian"])
def test_everybody_answers_the_measured_call_and_stores_every_step(database: str, server: str) -> None:
    setup, heard = Setup(server, workers=1, threads=2), list[str]()
    plan = Plan(databases=(database,), callers=(1, 3), rounds=1, seconds=0.2)
    result = run([*rivals(setup), ours(setup)], plan, heard.append)
    assert not result.failures
    assert not result.lost
    assert [cell.contestant for cell in result.cells] == ["bare Flask route", "tutorial", "ours"] * 2
    assert all(cell.per_second > 0 and cell.failures == 0 for cell in result.cells)
    assert any("round 1 of 1" in words for words in heard)


@pytest.mark.server
def test_an_answer_that_takes_no_step_is_a_failure() -> None:
    plan = Plan(databases=(SQLITE,), callers=(1,), rounds=1, seconds=0.1)
    with mock.patch("bench.contest.calls", lambda base_url, token: calls(base_url, f"not {token}")):
        result = run([ours(SMALL)], plan, lambda words: None)
    assert result.cells[0].failures > 0
    assert "403" in result.failures[0]


@pytest.mark.server
def test_an_answer_whose_step_was_never_stored_is_found_out() -> None:
    plan = Plan(databases=(SQLITE,), callers=(1,), rounds=1, seconds=0.1)
    result = run([Contestant("forgetful", "bench.bare:wsgi", SMALL)], plan, lambda words: None)
    assert not result.failures
    assert "answered steps were not stored" in result.lost[0]


def test_the_rival_says_the_very_same_words(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = _open(env)
    words = tmp_path / "screens.json"
    words.write_text(json.dumps(screens(house)), encoding="utf-8")
    url = f"sqlite:///{tmp_path}/rival.sqlite3"
    tutorial.create_tables(url)
    for name, value in {**env, "DATABASE_URL": url, "BENCH_SCREENS": str(words)}.items():
        monkeypatch.setenv(name, value)
    call = next(calls(REHEARSAL_BASE_URL, REHEARSAL_AUTH_TOKEN))
    own = [_spoken(answer.document) for answer in replay(create_app(house.settings), [call])]
    theirs = [_spoken(answer.document) for answer in replay(tutorial.wsgi(), [call])]
    assert len(own) == STEPS_A_CALL
    assert all(own)
    assert own == theirs


def test_what_a_step_says_is_rendered_once_for_all_callers(env: dict[str, str]) -> None:
    app = create_app(_open(env).settings)
    script = calls(REHEARSAL_BASE_URL, REHEARSAL_AUTH_TOKEN)
    with mock.patch("ivr.twiml.VoiceResponse", wraps=VoiceResponse) as documents:
        first = [answer.document for answer in replay(app, islice(script, 1))]
        rendered = documents.call_count
        second = [answer.document for answer in replay(app, islice(script, 1))]
    assert rendered == len(KEYS) + 1
    assert documents.call_count == rendered
    assert second == first


def test_a_web_worker_loads_neither_the_providers_rest_client_nor_google(env: dict[str, str]) -> None:
    looks = (
        "import json, sys; from itertools import islice; from app import wsgi; from bench.replay import replay;"
        "from bench.steps import calls; from settings import REHEARSAL_AUTH_TOKEN, REHEARSAL_BASE_URL;"
        "app = wsgi(); app.extensions['zorglijn'].database.migrate();"
        "said = list(replay(app, islice(calls(REHEARSAL_BASE_URL, REHEARSAL_AUTH_TOKEN), 1)));"
        "print(json.dumps([len(said), sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", looks],
        cwd=HERE,
        env={**env, "PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        timeout=50,
    )
    steps, modules = json.loads(done.stdout)
    assert steps == STEPS_A_CALL
    assert "twilio.twiml.voice_response" in modules
    assert not [name for name in modules if name.startswith(("twilio.rest", "google.cloud", "google.api_core"))]


def test_a_ratio_is_taken_between_neighbours_in_time() -> None:
    """A slow minute of the machine slows both, and must not turn the ratio."""
    speeds = {"tutorial": (100.0, 10.0, 100.0), "ours": (200.0, 20.0, 300.0)}
    result = Result([_cell(name, number, speed) for name, all_ in speeds.items() for number, speed in enumerate(all_)])
    assert "met: SQLite, 16 callers: 2.00 times" in "\n".join(report.verdicts(result))
    assert "| 16 | tutorial | 100 | 2.00 times |" in report.tables(result)


def test_figures_are_put_where_the_document_wants_them(tmp_path: Path) -> None:
    document, page = tmp_path / "performance.md", Path(HERE / "docs" / "performance.md").read_text(encoding="utf-8")
    document.write_text(page, encoding="utf-8")
    for section in ("figures", "servers", "breakdown"):
        report.write(document, section, f"the new {section}")
        report.write(document, section, f"the newest {section}")
    written = document.read_text(encoding="utf-8")
    assert [line for line in written.splitlines() if line.startswith("the new")] == [
        "the newest figures",
        "the newest breakdown",
        "the newest servers",
    ]
    with pytest.raises(ValueError, match="no place for figures"):
        report.write(document, "something else", "new")


def _open(env: dict[str, str]) -> House:
    house: House = create_app(Settings.from_env(env)).extensions["zorglijn"]
    house.database.migrate()
    return house


def _spoken(document: str) -> list[tuple[str, str]]:
    """Every voice and its words, without the spelling-out of 112 that ours adds."""
    return re.findall(r"<Say ([^>]*)>([^<]*)</Say>", re.sub(r"</?say-as[^>]*>", "", document))


def _cell(name: str, number: int, per_second: float) -> Cell:
    return Cell(
        database=SQLITE,
        contestant=name,
        callers=16,
        round=number,
        per_second=per_second,
        p50=1.0,
        p99=2.0,
        worst=3.0,
        cpu=100.0,
        database_cpu=0.0,
        own_cpu=10.0,
        failures=0,
    )
