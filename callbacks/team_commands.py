"""The commands `zorglijn agents ...`; `app` hangs them into its command line, `team_desk` does what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from callbacks.errors import CallbackError, DatabaseUnavailable

if TYPE_CHECKING:
    from callbacks.team_desk import TeamDesk


def group(desk: Callable[[], TeamDesk]) -> click.Group:
    """The group of commands; `desk` opens the team when one of them runs."""

    @click.group()
    def agents() -> None:
        """The team that phones back, and who of it may sign in."""

    @agents.command("add")
    @click.argument("login")
    @click.option("--name", required=True, help="The name that colleagues see.")
    @click.option("--role", type=_ROLES, default="agent", show_default=True, help="What they may do.")
    @click.option("--languages", default="nl,en", show_default=True, help="Codes of those spoken with callers.")
    @click.option("--phone", help="The number on which the line rings this agent.")
    @click.option("--locale", type=_LOCALES, default="nl", show_default=True, help="The language of the console.")
    def add(login: str, name: str, role: str, languages: str, phone: str | None, locale: str) -> None:
        """Take LOGIN into the team, and print a password for the first time."""
        with _told_kindly():
            told = desk().add(
                login=login, name=name, role=role, languages=_codes(languages), phone=phone, locale=locale
            )
            click.echo(told)

    @agents.command("change")
    @click.argument("login")
    @click.option("--name", help="Another name.")
    @click.option("--role", type=_ROLES, help="What they may do from now on.")
    @click.option("--languages", help="Codes of those spoken with callers.")
    @click.option("--phone", help='Another number for the line to ring; "" for none.')
    @click.option("--locale", type=_LOCALES, help="The language of the console.")
    def change(
        login: str, name: str | None, role: str | None, languages: str | None, phone: str | None, locale: str | None
    ) -> None:
        """Change what is known of LOGIN; what is not given stays."""
        codes = None if languages is None else _codes(languages)
        with _told_kindly():
            click.echo(desk().change(login, name=name, role=role, languages=codes, phone=phone, locale=locale))

    @agents.command("list")
    def list_() -> None:
        """Everybody who is or was in the team."""
        click.echo(desk().table())

    @agents.command("disable")
    @click.argument("login")
    def disable(login: str) -> None:
        """Let LOGIN in no more; ends what sessions there are, at once."""
        with _told_kindly():
            click.echo(desk().disable(login))

    @agents.command("reset")
    @click.argument("login")
    def reset(login: str) -> None:
        """Let LOGIN begin anew, with a new password for the first time; also who was disabled."""
        with _told_kindly():
            click.echo(desk().reset(login))

    return agents


_ROLES = click.Choice(["agent", "coordinator"])
_LOCALES = click.Choice(["nl", "en"])


def _codes(written: str) -> list[str]:
    return [code.strip().casefold() for code in written.split(",") if code.strip()]


@contextmanager
def _told_kindly() -> Iterator[None]:
    """What cannot be done with the team, told in a sentence."""
    try:
        yield
    except DatabaseUnavailable:
        raise
    except (CallbackError, ValueError) as error:
        raise click.ClickException(f"That cannot be done: {error}.") from None
