"""The front door: `create_app` puts the line together, and `main` is the command line `zorglijn`.

It imports every room and none imports it. What a command needs is imported in the command, because a caller's web
worker should not load what only a developer's terminal uses.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import Flask, Response, jsonify

from callbacks import console, languages, notice_commands, scripts, sign_in, team_commands
from callbacks.clock import Clock, utc_now
from callbacks.db import Database
from callbacks.desk import Desk
from callbacks.errors import DatabaseUnavailable
from callbacks.passwords import Passwords
from callbacks.provider import TwilioProvider
from callbacks.provider_wire import Wire
from callbacks.ringing import Ringer
from ivr import flow as floor_plan
from ivr import line_commands, outgoing
from ivr.answers import Answers
from ivr.flow import Flow
from ivr.numbers import Allowed, NumberPolicy
from ivr.prompts import Fact, Prompts
from ivr.signature import Verifier
from ivr.spoken import digits
from ivr.switchboard import Switchboard
from ivr.twiml import Renderer
from ivr.webhooks import Line, blueprint
from settings import HERE, Organisation, Settings, SettingsError

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from callbacks.team_desk import TeamDesk

PROMPTS = HERE / "prompts"
DATABASE_WAIT_SECONDS = 3.0  # a caller hears within 5 that the line does not work, also one who had to queue
LARGEST_BODY = 64 * 1024  # bytes; a webhook has two or three thousand
SPOKEN_NUMBERS = ("office", "emergency_gp", "asylum_gp", "insurance", "helpdesk", "dental")


@dataclass(frozen=True)
class House:
    """Everything that one running line is made of."""

    settings: Settings
    database: Database
    line: Line
    ringer: Ringer


def build_line(settings: Settings, clock: Clock = utc_now) -> House:
    """Put the rooms together; PromptError, AnswersError or ScriptsError where line or agents would lack their words."""
    scripts.library()
    organisation = settings.organisation
    prompts = Prompts.load(PROMPTS, facts(organisation))
    flow, answers = _understanding(PROMPTS, tuple(language.code for language in prompts.languages), organisation.region)
    database = Database(settings.database_url, wait_seconds=DATABASE_WAIT_SECONDS)
    numbers = NumberPolicy(organisation.callback_regions, organisation.callback_types)
    switchboard = Switchboard(
        database=database,
        flow=flow,
        answers=answers,
        numbers=numbers,
        office=organisation.hours,
        takes_voice_messages=organisation.takes_voice_messages,
        clock=clock,
    )
    renderer = Renderer(flow, prompts, answers, numbers, settings.public_base_url)
    verifier = Verifier(settings.twilio_account_sid, settings.twilio_auth_token, settings.public_base_url)
    provider = TwilioProvider(
        settings.twilio_account_sid, settings.twilio_auth_token, Wire(settings.twilio_api_base_url)
    )
    ringer = Ringer(
        database,
        provider,
        clock,
        settings.public_base_url,
        settings.line_number,
        claim_lasts=organisation.claim_lasts,
    )
    return House(settings, database, Line(switchboard, renderer, verifier, PROMPTS), ringer)


@cache
def _understanding(folder: Path, languages: tuple[str, ...], region: str) -> tuple[Flow, Answers]:
    """The plan of the call and what is understood at each node: the dearest to make, and the same for every app."""
    flow = floor_plan.build(languages)
    return flow, Answers.load(folder, flow, region=region)


def facts(organisation: Organisation) -> dict[str, Fact]:
    """What organisation.toml gives the prompts to speak, by placeholder; a number that is not known is left out."""
    numbers = {
        f"{name}_number": Fact(value=digits(number.digits), expires=number.expires)
        for name in SPOKEN_NUMBERS
        if (number := organisation.numbers.get(name)) is not None and number.expires is not None
    }
    return numbers | {
        "organisation": Fact(text=organisation.name),
        "region": Fact(text=organisation.region),
        "days_kept": Fact(value=(f"number_{organisation.days_kept}",)),
    }


def create_app(settings: Settings, clock: Clock = utc_now, hasher: Passwords | None = None) -> Flask:
    """The web application of one line; `clock` gives the moment (aware), `hasher` makes hashes of passwords."""
    house = build_line(settings, clock)
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.url_map.merge_slashes = False  # the provider follows no redirect without losing what the caller pressed
    app.extensions["zorglijn"] = house
    app.register_blueprint(blueprint(house.line))
    outward = outgoing.Outward(house.line, settings.line_number, settings.organisation.claim_lasts)
    app.register_blueprint(outgoing.blueprint(outward))
    _open_console(app, house, clock, hasher or Passwords())
    if settings.is_rehearsal:
        from ivr import rehearsal, rehearsal_api

        app.register_blueprint(rehearsal.blueprint(house.line, settings))
        app.register_blueprint(rehearsal_api.blueprint(house.line, settings))

    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        if _takes_writes(house.database) and house.database.is_ready():
            return jsonify(status="ok")
        return jsonify(status="the database cannot be reached, cannot be written or lacks a migration"), 503

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    return app


def _open_console(app: Flask, house: House, clock: Clock, hasher: Passwords) -> None:
    """Everything under /console: the guard first, then the pages."""
    settings = house.settings
    door = sign_in.Door(
        database=house.database,
        clock=clock,
        secret_key=settings.secret_key,
        base_url=settings.public_base_url,
        is_rehearsal=settings.is_rehearsal,
        passwords=hasher,
    )
    sign_in.install(app, door)
    languages.install(app, settings.organisation.hours.zone.key)
    app.register_blueprint(sign_in.blueprint(door))
    prompts, today = house.line.renderer.prompts, house.line.today

    def text_of(name: str, language: str | None) -> str:
        """The words of a prompt as the caller heard them, but for numbers and days."""
        return " ".join(segment.text for segment in prompts.speak((name,), language, {}, today()))

    desk = Desk(
        house.database,
        clock,
        settings.organisation.hours,
        text_of,
        _dialled(settings.organisation),
        settings.organisation.claim_lasts,
        directory=settings.organisation.directory,
        organisation=settings.organisation.name,
        days_kept=settings.organisation.days_kept,
        ringer=house.ringer,
        line_number=settings.line_number,
        before_due=settings.organisation.before_due,
    )
    app.register_blueprint(console.blueprint(desk))


def _dialled(organisation: Organisation) -> Callable[[str], str | None]:
    """Gives a number as somebody writes it in E.164; None for one that this organisation's line does not dial."""
    numbers = NumberPolicy(organisation.callback_regions, organisation.callback_types)

    def dialled(phone: str) -> str | None:
        checked = numbers.check(phone)
        return checked.e164 if isinstance(checked, Allowed) else None

    return dialled


def wsgi() -> Flask:
    """The application of one web worker: settings from the environment, logs as JSON lines, a sweeper of its own."""
    from ivr import logs, serving, sweeper

    logs.configure()
    serving.end_with_the_server()
    app = create_app(Settings.from_env(os.environ))
    app.extensions["zorglijn"].line.warm_up()
    house = app.extensions["zorglijn"]
    sweeper.start(house.line.switchboard, house.ringer)
    if house.settings.smtp_url:
        from callbacks import mailing, watching

        mailer, office = mailing.Mailer.to(*house.settings.mail), house.settings.organisation
        base_url = house.settings.public_base_url
        watching.start(watching.Watcher(house.database, mailer, office.hours, base_url, office.before_due))
    return app


class Commands(click.Group):
    """The command line; a database that cannot be reached is told in a sentence, not in a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except DatabaseUnavailable:
            raise click.ClickException("The database cannot be reached: is DATABASE_URL right, and is it on?") from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """The phone line on which people without papers hear that they may get medical care, and are called back."""


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Worker processes.")
@click.option("--threads", type=click.IntRange(2, 64), default=8, show_default=True, help="Threads of each worker.")
@click.option("--demo", is_flag=True, help="Fill the queue with invented requests first; only in a rehearsal.")
def serve(port: int, host: str, workers: int, threads: int, *, demo: bool) -> None:
    """Serve the line; in a rehearsal also the phone in the browser."""
    from callbacks import demo_agent
    from ivr import serving

    env = dict(os.environ)
    if (env.get("ZORGLIJN_ENV") or "rehearsal") == "rehearsal" and not env.get("PUBLIC_BASE_URL"):
        os.environ["PUBLIC_BASE_URL"] = f"http://127.0.0.1:{port}"
    settings = _settings()
    if demo and not settings.is_rehearsal:
        raise click.ClickException("Invented requests belong in a rehearsal: leave out --demo.")
    house = _house(settings)
    house.database.migrate()
    if demo:
        _invent_requests(house)
    if settings.is_rehearsal:
        demo_agent.ensure(house.database, Passwords(), utc_now())
    house.database.close()
    if settings.is_rehearsal:
        click.echo(serving.welcome(settings.public_base_url, settings.database_url))
    serving.run("app:wsgi", host=host, port=port, workers=workers, threads=threads)


@main.command()
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Save the call as a script.")
@click.option("--from", "from_", default="+31612345678", show_default=True, help="The number to call from.")
def rehearse(script: Path | None, save: Path | None, from_: str) -> None:
    """Call the line in the terminal, or replay a call SCRIPT."""
    from ivr import terminal

    settings = _settings()
    house = _house(settings)
    house.database.migrate()
    sys.exit(terminal.call(lambda: create_app(settings), house.line, settings, script=script, save=save, from_=from_))


@main.group()
def callbacks() -> None:
    """The queue of callbacks."""


@callbacks.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are closed or cancelled.")
def callbacks_list(*, everything: bool) -> None:
    """Who is waiting to be called back, the most urgent first."""
    from callbacks import export, listing

    records = export.records(_database(), only_open=not everything)
    found = sorted(records, key=lambda record: (record["urgency"], record["requested_at"]))
    click.echo(listing.table(found, _settings().organisation.hours.zone))


@callbacks.command("export")
@click.option("--open", "only_open", is_flag=True, help="Only those that wait or are claimed.")
def callbacks_export(*, only_open: bool) -> None:
    """Every callback as JSON Lines on standard output; progress goes to standard error."""
    from callbacks import export

    for written, record in enumerate(export.records(_database(), only_open=only_open), start=1):
        click.echo(json.dumps(record, ensure_ascii=False))
        if written % export.PAGE == 0 and sys.stderr.isatty():
            click.echo(f"{written} callbacks", err=True)


@main.command()
@click.option("--idle-minutes", type=click.IntRange(0), help="End calls silent for this long.  [default: 10]")
def sweep(idle_minutes: int | None) -> None:
    """End the calls of which nobody told us that they ended, and queue what was promised in them."""
    house = _house(_settings())
    house.database.migrate()
    idle = None if idle_minutes is None else timedelta(minutes=idle_minutes)
    click.echo(f"{house.line.switchboard.sweep(idle)} calls ended")


@main.command()
def doctor() -> None:
    """What is missing before this line may go live."""
    from ivr import doctor as examiner

    findings = examiner.examine(os.environ)
    click.echo(examiner.report(findings))
    sys.exit(1 if any(finding.is_error for finding in findings) else 0)


def _invent_requests(house: House) -> None:
    from callbacks.demo import fill

    invented = fill(house.database, utc_now(), house.settings.organisation.hours)
    click.echo(f"{invented} invented requests" if invented else "The invented requests are there already.")


def _takes_writes(database: Database) -> bool:
    """Whether a step could be stored now: a database that can only be read takes no call."""
    try:
        database.write(lambda _: None)
    except DatabaseUnavailable:
        return False
    return True


def _settings(env: Mapping[str, str] = os.environ) -> Settings:
    try:
        return Settings.from_env(env)
    except SettingsError as error:
        raise _cannot_start(error.problems) from None


def _house(settings: Settings) -> House:
    from callbacks.scripts import ScriptsError
    from ivr.answers import AnswersError
    from ivr.prompts import PromptError

    try:
        return build_line(settings)
    except (PromptError, AnswersError, ScriptsError) as error:
        raise _cannot_start(error.problems) from None


def _team_desk() -> TeamDesk:
    from callbacks.team_desk import TeamDesk

    settings = _settings()
    return TeamDesk(_database(), settings.public_base_url, _dialled(settings.organisation))


main.add_command(team_commands.group(_team_desk))
main.add_command(notice_commands.group(lambda: _settings().mail))
main.add_command(line_commands.prompts(lambda: _house(_settings()).line))
main.add_command(line_commands.flow)


def _cannot_start(problems: Sequence[str]) -> click.ClickException:
    return click.ClickException("The line cannot start:\n" + "\n".join(f"  {problem}" for problem in problems))


def _database() -> Database:
    database = Database(_settings().database_url)
    database.migrate()
    return database


if __name__ == "__main__":
    main()
