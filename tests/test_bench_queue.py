"""The benchmarks of the queue measure what they say, at a small size; no test here looks at a clock."""

from __future__ import annotations

import pytest

from bench import next as pressing
from bench import queue_page


def test_the_page_is_measured_in_a_short_and_in_a_long_queue() -> None:
    few, many = queue_page._measure("sqlite", (3, 60), times=1)
    assert set(few) == set(many) == {queue_page.WHOLE, *queue_page.READINGS}
    assert all(milliseconds > 0 for milliseconds in (*few.values(), *many.values()))


@pytest.mark.server
def test_agents_who_press_together_are_given_everything_once(capsys: pytest.CaptureFixture[str]) -> None:
    pressing._contest("sqlite", 3, 10)
    assert "3 agents, 10 requests: 10 given, 0 twice, 0 left" in capsys.readouterr().out
