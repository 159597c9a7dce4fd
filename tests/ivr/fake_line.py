"""A line of a few hand-written documents, with a memory of what was posted to it: stands in for the real one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ivr.phone import Phone
from ivr.transport import Answer, Form

BASE = "https://line.example"
ACCOUNT = "AC" + "0" * 32
TOKEN = "a-token-for-tests"
DUTCH = 'voice="Polly.Laura-Neural" language="nl-NL"'

Page = str | Answer | Exception | Callable[[Mapping[str, str]], str]


def twiml(*verbs: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(verbs)}</Response>'


def say(text: str, attributes: str = DUTCH) -> str:
    return f"<Say {attributes}>{text}</Say>"


def gather(attributes: str, *prompts: str) -> str:
    return f"<Gather {attributes}>{''.join(prompts)}</Gather>"


@dataclass
class Posted:
    """One form that arrived."""

    url: str
    form: dict[str, str]
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


@dataclass
class FakeLine:
    """Answers each path with its page; a list of pages is handed out one by one."""

    pages: dict[str, Page | list[Page]]
    posted: list[Posted] = field(default_factory=list)

    def post(self, url: str, form: Form, headers: Mapping[str, str]) -> Answer:
        self.posted.append(Posted(url, dict(form), headers))
        assert len(dict(form)) == len(form)
        page = self.pages.get(urlsplit(url).path, Answer(404, "text/plain", "not here"))
        if isinstance(page, list):
            page = page.pop(0)
        if isinstance(page, Exception):
            raise page
        if callable(page):
            page = page(self.posted[-1].form)
        return page if isinstance(page, Answer) else Answer(200, "text/xml; charset=utf-8", page)

    @property
    def paths(self) -> Sequence[str]:
        return [posted.path for posted in self.posted]

    @property
    def last(self) -> Posted:
        return self.posted[-1]


def phone_to(line: FakeLine, **settings: object) -> Phone:
    given: dict[str, object] = {"base_url": BASE, "account_sid": ACCOUNT, "auth_token": TOKEN, "status_url": None}
    return Phone(line, **{**given, **settings})  # type: ignore[arg-type]


def dialled(*verbs: str, **settings: object) -> tuple[Phone, FakeLine]:
    """A call that has been answered with these verbs; every answer to it is a goodbye at /answer."""
    line = FakeLine({"/voice/incoming": twiml(*verbs), "/answer": twiml(say("Tot ziens."))})
    phone = phone_to(line, **settings)
    phone.dial()
    return phone, line
