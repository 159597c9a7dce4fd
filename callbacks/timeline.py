"""Everything that happened with one number, in one row of moments: what the team did, and when the caller called.

`story` knows the events of a request and the other calls of its number apart from each other; an agent reads them as
one history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from callbacks.by_hand import OUTCOME as BY_HAND
from callbacks.conclusions import Change, change_of
from callbacks.story import EventTold, OtherCall, Story


class Kind(StrEnum):
    """What a moment of the timeline is."""

    EVENT = "event"  # something was done with this request
    ASKED = "asked"  # the call of this request asked for it
    CALL = "call"  # another call of the same number, or another request to it


@dataclass(frozen=True)
class Moment:
    """One line of the timeline; `event` is there for an event, `call` for another call.

    `change` is what the event changed of urgency and need, `again_at` when somebody tries again because of it.
    """

    at: datetime
    kind: Kind
    event: EventTold | None = None
    call: OtherCall | None = None
    change: Change | None = None
    again_at: datetime | None = None


def of(story: Story) -> tuple[Moment, ...]:
    """The timeline of a request, the oldest first; what is written down at the same moment keeps its order."""
    moments = [Moment(call.at, Kind.CALL, call=call) for call in story.other_calls]
    if story.entry.outcome != BY_HAND:
        moments.append(Moment(story.entry.requested_at, Kind.ASKED))
    moments += [_of_event(event) for event in story.events]
    return tuple(sorted(moments, key=lambda moment: moment.at))


def _of_event(event: EventTold) -> Moment:
    again = event.details.get("after", {}).get("not_before") if event.what == "wrapped_up" else None
    again_at = datetime.fromisoformat(again) if again else None
    return Moment(event.at, Kind.EVENT, event=event, change=change_of(event), again_at=again_at)
