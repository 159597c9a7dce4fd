"""A QR code as a picture that a page can hold itself: no other address has to be asked for it, and none is cached."""

from __future__ import annotations

BLOCK = 5  # pixels
QUIET = 4  # blocks around it, without which some phones do not see it


def data_uri(text: str) -> str:
    """An SVG with this text, dark on white also on a dark page, as a data: address."""
    import segno

    return segno.make(text, error="m", micro=False).svg_data_uri(
        scale=BLOCK, border=QUIET, dark="#000", light="#fff", omitsize=False
    )
