"""The command `zorglijn notices try`; `app` hangs it into its command line, `mailing` does the sending."""

from __future__ import annotations

from collections.abc import Callable

import click

from callbacks.errors import MailFailed, MailRefused

# By what begins the reason of a failure.
HINTS = {
    "gaierror": "No machine has the name of the mail server: correct SMTP_URL.",
    "ConnectionRefusedError": "No mail server listens there: correct the name and the port in SMTP_URL.",
    "SSLCertVerificationError": "The mail server could not prove its name: take the name that is in its certificate.",
    "SSLError": "The mail server does not begin encrypted: smtp:// is for port 587, smtps:// for 465.",
    "SMTPNotSupportedError": "The mail server offers no encryption or no signing in: take another port or server.",
    "SMTPAuthenticationError": "The mail server does not know this user and password: correct SMTP_URL.",
    "SMTPSenderRefused": "The mail server takes no e-mails from MAIL_FROM.",
    "recipients": "The mail server takes no e-mails to MAIL_TO.",
    "TimeoutError": "The mail server does not answer: is the port right, and does a firewall let us through?",
}


def group(mail: Callable[[], tuple[str, str, tuple[str, ...]]]) -> click.Group:
    """The group of commands; `mail` gives the settings of the mail server when one of them runs."""

    @click.group()
    def notices() -> None:
        """What the team is told by e-mail."""

    @notices.command("try")
    def try_() -> None:
        """Send the team an e-mail that says it is a trial."""
        from datetime import UTC, datetime

        from callbacks.letters import trial
        from callbacks.mailing import Mailer

        settings = mail()
        if not settings[0]:
            raise click.ClickException("SMTP_URL is not set, so the team gets no e-mails.")
        sender = Mailer.to(*settings)
        try:
            refused = sender.send(sender.message(trial(), datetime.now(UTC)))
        except MailFailed as error:
            raise click.ClickException(_told(error)) from None
        click.echo(f"The mail server took it for {', '.join(sender.recipients)}: look whether it arrives.")
        if refused:
            raise click.ClickException(f"But it refused {refused} of these addresses: correct MAIL_TO.")

    return notices


def _told(error: MailFailed) -> str:
    """Why it did not go out, and what to do."""
    hint = HINTS.get(error.reason.partition(" ")[0], "")
    usual = "Somebody has to mend this." if isinstance(error, MailRefused) else "Trying again later may help."
    return f"The e-mail was not sent ({error.reason}). {hint or usual}"
