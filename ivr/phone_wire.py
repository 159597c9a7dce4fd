"""The provider's side of a call: posts signed forms to the line, tries again or falls back as a provider does.

Between `phone`, which knows what the caller does, and `transport`, which carries bytes. It keeps nothing of a call but
the troubles that the caller did not notice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from ivr import phone_forms
from ivr.phone_calls import CallState
from ivr.phone_errors import BadAnswer, BadSid, ForeignAddress, NoAnswer, NoConnection, NotTwiml, PhoneError
from ivr.transport import Answer, Form, Transport
from ivr.twiml_reader import read_twiml

OK, NO_SUCCESS, SERVER_ERROR = 200, 300, 500  # HTTP


@dataclass(frozen=True)
class Wire:
    """One account's way to the line at `base_url`; `fallback_url` is asked when the line fails, None for never."""

    transport: Transport
    base_url: str
    account_sid: str
    auth_token: str = field(repr=False)
    fallback_url: str | None
    troubles: list[PhoneError] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not phone_forms.is_sid("AC", self.account_sid):
            raise BadSid("AccountSid", self.account_sid)

    def fetch(self, call: CallState, url: str, said: Form) -> tuple[str, str]:
        """Post a form and give the TwiML that answers it, with its URL: the fallback's when the line itself fails.

        A refusal (4xx), a wrong type and a wrong document are mistakes of the line's that no fallback should hide.
        """
        try:
            return url, self._document(call, url, said)
        except (NoAnswer, BadAnswer) as error:
            if self.fallback_url is None or (isinstance(error, BadAnswer) and error.status < SERVER_ERROR):
                raise
            self.troubles.append(error)
        fallback = self.resolve("", self.fallback_url)
        return fallback, self._document(call, fallback, phone_forms.failed(url))

    def tell(self, call: CallState, url: str, news: Form, status: str = "in-progress") -> None:
        """Post news whose answer nobody hears; a line that is down when it comes is a trouble, a refusal an error."""
        try:
            answer = self._send(call, url, news, status)
        except NoAnswer as error:
            self.troubles.append(error)
            return
        if OK <= answer.status < NO_SUCCESS:
            return
        refused = BadAnswer(url, answer.status, answer.body)
        if answer.status < SERVER_ERROR:
            raise refused
        self.troubles.append(refused)

    def resolve(self, document_url: str, url: str) -> str:
        """Give the URL that a document means; nothing means the document itself.

        It must stay within the line: a rehearsal must not post what a caller said anywhere else.
        """
        resolved = urljoin(document_url or self.base_url.rstrip("/") + "/", url)
        if urlsplit(resolved)[:2] != urlsplit(self.base_url)[:2]:
            raise ForeignAddress(resolved, self.base_url)
        return resolved

    def _document(self, call: CallState, url: str, form: Form) -> str:
        status = "in-progress" if call.document or call.direction != "inbound" else "ringing"
        try:
            answer = self._send(call, url, form, status)
        except NoConnection:  # nothing was delivered, so the provider tries once more
            answer = self._send(call, url, form, status)
        if answer.status != OK:
            raise BadAnswer(url, answer.status, answer.body)
        if answer.content_type.partition(";")[0].strip().lower() != "text/xml":
            raise NotTwiml(url, answer.content_type)
        read_twiml(answer.body)
        return answer.body

    def _send(self, call: CallState, url: str, form: Form, status: str) -> Answer:
        whole = [*phone_forms.about(call, self.account_sid, status), *form]
        return self.transport.post(url, whole, phone_forms.headers(url, whole, self.auth_token))
