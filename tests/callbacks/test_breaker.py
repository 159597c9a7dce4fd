"""A database that fails costs those who come after no patience, and nobody a call once it works again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import pytest
from sqlalchemy import Connection

from callbacks.breaker import Breaker
from callbacks.errors import DatabaseUnavailable

T = TypeVar("T")


class Store:
    """A database that can be away: whoever asks it then waits until it is back, or in vain."""

    def __init__(self) -> None:
        self.is_away, self.tries, self.back = False, 0, threading.Event()

    def write(self, unit: Callable[[Connection], T]) -> T:
        self.tries += 1
        if self.is_away and not self.back.wait(2):
            raise DatabaseUnavailable("away")
        return unit(cast("Connection", None))


@pytest.fixture
def store() -> Store:
    return Store()


def stored(_: object) -> str:
    return "stored"


def refused(_: object) -> str:
    raise KeyError


def test_while_it_works_everybody_writes(store: Store) -> None:
    breaker = Breaker()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: breaker.write(store, stored), range(50))) == {"stored"}
    assert store.tries == 50


def test_after_a_failure_everybody_is_told_soon_and_one_tries_in_the_background(store: Store) -> None:
    breaker = Breaker(patience_seconds=0.05)
    store.is_away = True
    for longest in (10, 1.5, 1.5, 1.5):
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            breaker.write(store, stored)
        assert time.monotonic() - began < longest
    assert store.tries == 2
    store.back.set()


def test_whoever_comes_when_it_works_again_writes(store: Store) -> None:
    breaker = Breaker(patience_seconds=5)
    store.is_away = True
    with pytest.raises(DatabaseUnavailable):
        breaker.write(store, stored)
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(breaker.write, store, stored) for _ in range(6)]
        store.back.set()
        assert {each.result() for each in waiting} == {"stored"}


def test_a_unit_that_is_refused_is_no_failure_of_the_database(store: Store) -> None:
    breaker = Breaker(patience_seconds=0)
    with pytest.raises(KeyError):
        breaker.write(store, refused)
    assert breaker.write(store, stored) == "stored"
