"""What the doctor says of the call scripts that agents follow; `doctor_checks` looks at what the line itself speaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from callbacks import scripts
from callbacks.directory import Referral
from callbacks.scripts import Library
from ivr.doctor_checks import NAMED_AT_MOST, SOON, Finding, Severity


def check_scripts(library: Library, directory: Iterable[Referral], today: date) -> Iterator[Finding]:
    """Facts past their day, which agents are told to look up, and organisations that the directory lacks."""
    for day, names in scripts.expiring(library, today + SOON).items():
        listed = ", ".join(names[:NAMED_AT_MOST]) + (" ..." if len(names) > NAMED_AT_MOST else "")
        yield Finding(
            Severity.WARNING,
            f"After {day} the console says to look up the facts of {len(names)} call scripts first: {listed}.",
            "Have the facts reviewed, then renew reviewed and expires in callbacks/scripts/.",
        )
    missing = scripts.referred(library) - {referral.key for referral in directory}
    if missing:
        yield Finding(
            Severity.WARNING,
            f"Call scripts refer to organisations that the directory lacks: {', '.join(sorted(missing))}.",
            "Add each under [[directory]] in organisation.toml, or take it out of callbacks/scripts/.",
        )
