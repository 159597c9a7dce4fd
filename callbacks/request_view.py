"""What the page of one request shows, read in one transaction: its story, who may do what, and what other rooms add.

`request_page` shows all of it and `live_page` the parts that change. A room with a part of its own on the page adds a
function to PARTS, which gives that part's template its variables. Nothing here may ask which language the page is in:
it runs in the thread that writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from callbacks import call_panel, call_words, conclusions, queue, script_part, timeline, wrap_up_part
from callbacks.desk import Desk
from callbacks.lifecycle import Status
from callbacks.queue import Story
from callbacks.staff import Member


@dataclass(frozen=True)
class Look:
    """Somebody looks at a request."""

    connection: Connection
    story: Story
    member: Member
    now: datetime
    desk: Desk


@dataclass(frozen=True)
class View:
    """What somebody sees: the story, and the variables of the templates that tell it."""

    story: Story
    variables: Mapping[str, object]


PARTS: tuple[Callable[[Look], Mapping[str, object]], ...] = (call_panel.part, script_part.part, wrap_up_part.part)


def read(connection: Connection, public_id: str, member: Member, now: datetime, desk: Desk) -> View:
    """What the pages of this request show; NoSuchCallback. Whoever shows it notes that in the access log."""
    story = queue.story(connection, public_id, now)
    entry = story.entry
    is_claimed = entry.status is Status.CLAIMED
    is_mine = is_claimed and entry.claimed_by_id == member.id
    shown: dict[str, object] = {
        "story": story,
        "entry": entry,
        "now": now,
        "because": conclusions.because(entry.outcome, entry.answers),
        "besides": conclusions.besides(entry.outcome, entry.answers),
        "changes": conclusions.changes(story),
        "timeline": timeline.of(story),
        "lines": call_words.lines(story.steps),
        "is_mine": is_mine,
        "may_work": is_mine or (is_claimed and member.is_coordinator),
        "may_change": entry.status is Status.QUEUED or is_mine or (is_claimed and member.is_coordinator),
        "undo_until": queue.undo_until(connection, entry.id, entry.status, member, now),
        "text_of": desk.text_of,
    }
    look = Look(connection, story, member, now, desk)
    for part in PARTS:
        shown |= part(look)
    return View(story, shown)
