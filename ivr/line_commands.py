"""The commands `zorglijn prompts check` and `zorglijn flow`; `app` hangs them into its command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ivr.webhooks import Line


def prompts(line: Callable[[], Line]) -> click.Group:
    """The group of commands about what the line says; `line` is put together when one of them runs."""

    @click.group()
    def prompts() -> None:
        """What the line says."""

    @prompts.command("check")
    def check() -> None:
        """Check every prompt and call script: in each language, short and plain, its menu right, its node reachable."""
        from datetime import UTC, datetime

        from callbacks import scripts
        from callbacks.console_words import OUTCOMES
        from ivr import prompt_checks

        renderer = line().renderer
        problems = [f"{one.where}: {one.what}" for one in prompt_checks.check(renderer.prompts, renderer.flow)]
        called = scripts.library()
        wrong = scripts.problems(called, OUTCOMES, scripts.referred(called))  # the doctor compares with the directory
        problems += [f"callbacks/scripts/{one}" for one in wrong]
        click.echo("".join(f"{problem}\n" for problem in problems), nl=False)
        for warning in prompt_checks.warnings(renderer.prompts, datetime.now(UTC).date()):
            click.echo(f"warning: {warning.where}: {warning.what}", err=True)
        click.echo(f"{len(problems)} problems" if problems else "All prompts are well.")
        sys.exit(1 if problems else 0)

    return prompts


@click.command()
@click.option("--svg", is_flag=True, help="A drawn picture instead of Mermaid text.")
@click.option("--write", type=click.Path(file_okay=False, path_type=Path), help="Write both into this folder.")
def flow(*, svg: bool, write: Path | None) -> None:
    """The call flow as a picture: Mermaid text, or SVG."""
    from ivr import flow as floor_plan
    from ivr import flow_picture

    plan = floor_plan.build()
    if write is not None:
        flow_picture.write(write, plan)
        return
    click.echo(flow_picture.svg(plan) if svg else flow_picture.mermaid(plan))
