"""Whether a part of a page that refreshes itself still shows how things are.

A part carries the seal of what it shows; its refresh sends that seal back. Where nothing has changed the answer is
empty: nothing is shown, so nothing needs to be logged, and the reader's place, focus and selection are left alone.
`queue_page` and `live_page` use it; the page's side of it is `static/console.js`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from flask import current_app, request

SEEN = "Zorglijn-Seen"
UNCHANGED = ("", 204)


def seal(key: bytes, now: datetime | None, *shown: object) -> str:
    """A short word that differs when anything of this does; with `now` every minute too: times then read otherwise.

    It is keyed: it covers what the page itself hides, such as a phone number.
    """
    minute = now.replace(second=0, microsecond=0) if now else None
    return hashlib.blake2b(repr((minute, *shown)).encode(), key=key, digest_size=12).hexdigest()


def key() -> bytes:
    """The secret of the running application, as `seal` wants it; ask for it before going to the writer's thread."""
    return hashlib.sha256(str(current_app.secret_key).encode()).digest()


def is_part(name: str) -> bool:
    """Whether the page asks for this part of itself only (the id of an element)."""
    return bool(request.headers.get("HX-Request")) and request.headers.get("HX-Target") == name


def known() -> str:
    """The seal of what the page shows already; empty for a page that shows nothing yet."""
    return request.headers.get(SEEN, "")
