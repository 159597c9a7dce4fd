"""Values that a page carries for us between requests, sealed so that it can give back only what we gave it.

Several server processes answer, so that nothing of a call on the browser's phone stays in memory: the page keeps it.
What a page could change, it could also make the line speak or post; `rehearsal` opens nothing that is not sealed here.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

_MARK_BYTES = 32  # SHA-256


class BrokenSeal(Exception):
    """This was not sealed by us, or not for this purpose."""


@dataclass(frozen=True)
class Seal:
    """Seals values for one purpose; what was sealed for another does not open. `secret` is the line's auth token."""

    secret: str = field(repr=False)
    purpose: str

    def close(self, value: object) -> str:
        """Seal a value that JSON can hold; the result is plain letters, digits, - and _."""
        content = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
        return base64.urlsafe_b64encode(self._mark(content) + content).decode("ascii")

    def open(self, sealed: object) -> Any:  # noqa: ANN401  whatever was sealed
        """Give the value back; BrokenSeal when anybody but us made this."""
        try:
            whole = base64.b64decode(str(sealed).encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise BrokenSeal from None
        mark, content = whole[:_MARK_BYTES], whole[_MARK_BYTES:]
        if not hmac.compare_digest(mark, self._mark(content)):
            raise BrokenSeal
        return json.loads(content.decode("utf-8", "surrogatepass"))

    def _mark(self, content: bytes) -> bytes:
        key = hmac.digest(self.secret.encode(), b"zorglijn " + self.purpose.encode(), "sha256")
        return hmac.digest(key, content, "sha256")
