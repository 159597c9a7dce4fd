"""The call flow as a picture that a colleague can hang on the wall, as Mermaid text and as a drawing (SVG).

Drawn from the same nodes that callers walk through, so it cannot tell another story than the line does; a test keeps
the picture in docs/ as new as the code. `flow_words` names things, `flow_drawing` draws, `zorglijn flow` prints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ivr.flow import Flow
from ivr.flow_drawing import draw
from ivr.flow_words import (
    EVERYWHERE,
    ROOM_TITLES,
    SILENCE,
    Room,
    outcome_row,
    room_of,
    skip_words,
    title_of,
    urgency_words,
    ways_of,
)
from ivr.nodes import Branch, End, Listener, Menu, Message, Node, Task

FLOW_DOCUMENT = "flow.md"
FLOW_PICTURE = "pictures/flow.svg"
ALT = "The call flow: welcome, your rights, the receptionist, the triage with its outcomes, the callback and goodbye"


def mermaid(flow: Flow) -> str:
    """The flow as a Mermaid flowchart: the nodes by room, and the key and answer beside every arrow."""
    lines = ["flowchart LR"]
    for room in Room:
        nodes = [node for node in flow.nodes.values() if room_of(node.name) is room]
        lines += [f'  subgraph room_{room}["{ROOM_TITLES[room]}"]', *(f"    {_shape(node)}" for node in nodes), "  end"]
    lines += [f"  {arrow}" for node in flow.nodes.values() for arrow in _arrows(node)]
    return "\n".join(lines) + "\n"


def svg(flow: Flow, text_of: Callable[[str], str] | None = None) -> str:
    """The flow as a drawing for A3 or a laptop; with `text_of` (prompt name -> words) nodes carry what they say."""
    return draw(flow, text_of)


def write(docs: Path, flow: Flow, text_of: Callable[[str], str] | None = None) -> tuple[Path, Path]:
    """Write flow.md and pictures/flow.svg into the folder `docs`; where they are."""
    document, picture = docs / FLOW_DOCUMENT, docs / FLOW_PICTURE
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(svg(flow, text_of), encoding="utf-8")
    document.write_text(markdown(flow), encoding="utf-8")
    return document, picture


def markdown(flow: Flow) -> str:
    """The page about the flow: how to read it, the drawing, and the same as Mermaid text."""
    keys = "\n".join(f"| `{key}` | {words} |" for key, words in EVERYWHERE)
    return f"""# The call flow

Drawn by `zorglijn flow --write docs` from the nodes in `ivr/flow.py` and the table in `ivr/triage.py`. Do not edit this
page or the picture: change the flow and draw them again.

Every question takes a key or spoken words. Three keys work everywhere:

| Key | What it does |
|---|---|
{keys}

Words of danger lead to the emergency message at once. After two silences, or two answers not understood, the call
goes on at the callback offer, except where the picture shows another way ("{SILENCE}").

![{ALT}]({FLOW_PICTURE})

## The same as text

Square boxes are said on the way, rounded ones ask, diamonds decide unheard, double-edged ones work on the queue.

```mermaid
{mermaid(flow)}```
"""


def _shape(node: Node) -> str:
    """The node in the shape of its kind."""
    row = outcome_row(node.name)
    words = f"{title_of(node.name)}<br/>{urgency_words(row)}" if row else title_of(node.name)
    skips = skip_words(node.name)
    label = f'"{words}<br/>{skips}"' if skips else f'"{words}"'
    match node:
        case Menu():
            return f"{node.name}({label})"
        case Listener():
            return f"{node.name}[/{label}/]"
        case Message():
            return f"{node.name}[{label}]"
        case Branch():
            return f"{node.name}{{{label}}}"
        case Task():
            return f"{node.name}[[{label}]]"
        case End():
            return f"{node.name}([{label}])"
        case _:
            raise TypeError(f"{node.name} is no kind of node that a picture knows")


def _arrows(node: Node) -> Iterator[str]:
    """The ways out of a node; what silence leads to is dotted."""
    for way in ways_of(node):
        arrow = "-.->" if way.label == SILENCE else "-->"
        label = f"{way.key} {way.label}".strip()
        yield f'{node.name} {arrow}|"{label}"| {way.goto}' if label else f"{node.name} {arrow} {way.goto}"
