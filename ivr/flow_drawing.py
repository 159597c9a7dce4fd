"""Puts ink on the layout of the flow: an SVG drawing to be read on paper, on a screen or by a screen reader.

Every colour is doubled by words or a shape, and every text lies on a ground that gives it a contrast of 4.5 or more.
`flow_layout` says where things are, `flow_words` what they are called. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from callbacks.lifecycle import Urgency
from ivr import triage
from ivr.flow import OFFER, Flow
from ivr.flow_layout import (
    CARD_WIDTH,
    HEADING_HEIGHT,
    MARGIN,
    PANEL_GAP,
    ROW_HEIGHT,
    TITLE_HEIGHT,
    Bundle,
    Card,
    Exit,
    Layout,
    Panel,
    lay_out,
)
from ivr.flow_words import (
    EVERYWHERE,
    ROOM_TITLES,
    SILENCE,
    SOONER,
    URGENCY_WORDS,
    Room,
    outcome_row,
    title_of,
    urgency_words,
    words_of,
)
from ivr.nodes import Branch, Listener, Menu, Message, Node, Task

INK = "#1b2430"
GROUNDS = {
    Room.WELCOME: "#eaf2fb",
    Room.RIGHTS: "#eaf6ec",
    Room.RECEPTIONIST: "#fbf3e4",
    Room.TRIAGE: "#f3effa",
    Room.OUTCOMES: "#f4f5f7",
    Room.CALLBACK: "#e6f4f4",
    Room.GOODBYE: "#eceff3",
}
URGENCY_INKS = {
    Urgency.P0: "#a3122a",
    Urgency.P1: "#a8430a",
    Urgency.P2: "#7a5a00",
    Urgency.P3: "#1f4fa3",
    Urgency.P4: "#46525f",
}
LINES = ("#1f4fa3", "#8a2f6b", "#176b4a", "#8a4b08", "#4b3fa0", "#1b2430", "#a3122a", "#0f6674")
KINDS = (
    ("Asks: a key or a word", "menu"),
    ("Takes a number or words", "entry"),
    ("Says something, goes on", "message"),
    ("Decides; nothing is heard", "branch"),
    ("Works on the queue", "task"),
    ("Last words, hangs up", "end"),
)
LEGEND_LINE = 28
STYLE = """
text { font-family: "Segoe UI", "Liberation Sans", Arial, Helvetica, sans-serif; font-size: 13px; fill: #1b2430; }
.name { font-size: 26px; font-weight: bold; } .room { font-size: 17px; font-weight: bold; }
.title { font-size: 14px; font-weight: bold; } .light { fill: #ffffff; } .note { font-size: 12px; fill: #46525f; }
.key { font-size: 12px; font-weight: bold; fill: #ffffff; text-anchor: middle; } .quiet { fill: #3b4754; }
.card { fill: #ffffff; stroke: #55606e; stroke-width: 1.3; } .under { fill: none; stroke: #ffffff; stroke-width: 4; }
.line { fill: none; stroke-width: 1.5; }
""".strip()


def draw(flow: Flow, text_of: Callable[[str], str] | None = None) -> str:
    """The drawing, an SVG document; with `text_of` (prompt name -> words) each node says its words as a tooltip."""
    layout = lay_out(flow)
    parts = [
        *_head(layout),
        *_legend(layout),
        *(part for panel in layout.panels for part in _ground(panel)),
        *(part for number, bundle in enumerate(layout.bundles) for part in _arrow(layout, bundle, number)),
        *(part for card in layout.cards.values() for part in _card(card, _tooltip(card, text_of))),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _head(layout: Layout) -> Iterator[str]:
    width, height = _n(layout.width), _n(layout.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="flow-title flow-desc">'
    )
    yield '<title id="flow-title">The call flow of the line</title>'
    yield f'<desc id="flow-desc">{escape(_description())}</desc>'
    yield f"<style>{STYLE}</style>"
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    yield _text(MARGIN, 48, "From the first ring to a queued callback", "name")


def _description() -> str:
    outcomes = "; ".join(f"{title_of(f'outcome_{row.outcome}')}: {urgency_words(row)}" for row in triage.TABLE)
    keys = "; ".join(f"{key}: {words}" for key, words in EVERYWHERE)
    return (
        "A caller hears the emergency sentence, chooses a language and comes to the main menu, which leads to the "
        "triage, to the rights and to a message for the receptionist. Every outcome of the triage is followed by the "
        f"offer to be called back. Keys that work everywhere: {keys}. Outcomes and how soon we call: {outcomes}."
    )


def _legend(layout: Layout) -> Iterator[str]:
    """What works everywhere, above all rooms; the shapes and the urgencies, below the welcome, where there is room."""
    yield _text(MARGIN, 84, "Everywhere:", "title")
    x = 132.0
    for key, words in EVERYWHERE:
        yield from _key(x, 79, key, INK)
        yield _text(x + 16, 84, words)
        x += 44 + _width(words)
    yield _text(
        x, 84, "Every question takes a key or spoken words. Words of danger lead to the emergency message.", "quiet"
    )
    yield _text(MARGIN, 110, "Not heard, or not understood, twice:", "title")
    yield _text(300, 110, f"on to “{title_of(OFFER)}”, unless the card has a line “{SILENCE}”.", "quiet")
    panel = next(panel for panel in layout.panels if panel.room is Room.WELCOME)
    yield from _key_to_the_picture(panel.x, panel.y + panel.height + PANEL_GAP, panel.width)


def _key_to_the_picture(x: float, y: float, width: float) -> Iterator[str]:
    lines = len(KINDS) + 2 + len(URGENCY_WORDS) + 1
    yield _box(x, y, width, lines * LEGEND_LINE + 62, 10, 'fill="#ffffff" stroke="#c3cad3"')
    yield _text(x + 12, y + 24, "How to read this", "room")
    y += 40
    for words, kind in KINDS:
        yield _shape(kind, x + 14, y, 36, 20)
        yield _text(x + 62, y + 15, words)
        y += LEGEND_LINE
    yield from _key(x + 32, y + 10, "1", INK)
    yield _text(x + 62, y + 15, "The key for this answer")
    yield _text(x + 26, y + LEGEND_LINE + 15, "→", "title")
    yield _text(x + 62, y + LEGEND_LINE + 15, "Goes on there (no arrow drawn)")
    y += 2 * LEGEND_LINE + 14
    for urgency, words in URGENCY_WORDS.items():
        yield _badge(x + 17, y, urgency)
        yield _text(x + 62, y + 14, f"We call {words}")
        y += LEGEND_LINE
    yield _badge(x + 17, y, triage.INCOMPLETE.urgency)
    yield _text(x + 62, y + 14, "Agreed; questions not finished")


def _ground(panel: Panel) -> Iterator[str]:
    style = f'fill="{GROUNDS[panel.room]}" stroke="#c3cad3"'
    yield _box(panel.x, panel.y, panel.width, panel.height, 10, style)
    yield _text(panel.x + 12, panel.y + HEADING_HEIGHT - 12, ROOM_TITLES[panel.room], "room")


def _arrow(layout: Layout, bundle: Bundle, number: int) -> Iterator[str]:
    """A lane with its ways in and its arrowheads, over a white edge that parts it from the lines that it crosses."""
    lane, colour = layout.lane_x(bundle), LINES[number % len(LINES)]
    low, high = bundle.span
    ways = [f"M{_n(x)} {_n(y)}H{_n(lane)}" for x, y in bundle.starts]
    ways += [f"M{_n(lane)} {_n(y)}H{_n(x)}" for x, y in bundle.ends]
    path = f"M{_n(lane)} {_n(low)}V{_n(high)}" + "".join(ways)
    yield f'<path class="under" d="{path}"/>'
    yield f'<path class="line" stroke="{colour}" d="{path}"/>'
    for x, y in bundle.ends:
        back = 8 if x < lane else -8
        yield f'<path fill="{colour}" d="M{_n(x)} {_n(y)}L{_n(x + back)} {_n(y - 4)}V{_n(y + 4)}Z"/>'


def _tooltip(card: Card, text_of: Callable[[str], str] | None) -> str:
    words = words_of(card.node, text_of) if text_of else ""
    return f"{card.title}: {words}" if words else card.title


def _card(card: Card, tooltip: str) -> Iterator[str]:
    yield f"<g><title>{escape(tooltip)}</title>"
    kind = _kind(card.node)
    yield _shape(kind, card.x, card.y, CARD_WIDTH, card.height)
    yield _text(card.x + 14, card.y + 18, card.title, "title light" if kind == "end" else "title")
    if card.note:
        yield _text(card.x + 14, card.y + TITLE_HEIGHT + 10, card.note, "note")
    yield from _urgency(card)
    for way in card.exits:
        if way.is_written:
            yield from _exit(card, way)
    yield "</g>"


def _urgency(card: Card) -> Iterator[str]:
    row = outcome_row(card.node.name)
    if row is None:
        return
    y = card.y + TITLE_HEIGHT - 3
    sooner = SOONER.get(row.outcome)
    yield _badge(card.x + 14, y, row.urgency)
    if sooner:
        yield _badge(card.x + 52, y, Urgency.P2)
        yield _text(card.x + 88, y + 14, sooner)
        return
    yield _text(card.x + 52, y + 14, URGENCY_WORDS[row.urgency])


def _exit(card: Card, way: Exit) -> Iterator[str]:
    """A line on the card: what is chosen, where it leads if no arrow shows it, and the key on the card's edge."""
    words = way.way.label
    if not way.is_drawn:
        words = f"{words} → {title_of(way.way.goto)}" if words else f"→ {title_of(way.way.goto)}"
    yield _text(card.x + 22, way.y + 4.5, words, "quiet" if not way.way.key else "")
    if way.way.key:
        yield from _key(card.right, way.y, way.way.key, INK)


def _key(x: float, y: float, key: str, colour: str) -> Iterator[str]:
    yield f'<circle cx="{_n(x)}" cy="{_n(y)}" r="8.5" fill="{colour}" stroke="#ffffff"/>'
    drop = 7.5 if key == "*" else 4.3
    yield _text(x, y + drop, key, "key")


def _badge(x: float, y: float, urgency: Urgency) -> str:
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="30" height="{ROW_HEIGHT - 2}" rx="4" fill="{URGENCY_INKS[urgency]}"/>'
        f'<text class="key" x="{_n(x + 15)}" y="{_n(y + 13.5)}">{urgency.name}</text>'
    )


def _kind(node: Node) -> str:
    """What the legend calls this kind of node."""
    kinds: dict[type[Node], str] = {Menu: "menu", Listener: "entry", Message: "message", Branch: "branch", Task: "task"}
    return next((kind for of, kind in kinds.items() if isinstance(node, of)), "end")


def _shape(kind: str, x: float, y: float, width: float, height: float) -> str:
    """The outline of a card, by what kind of node it is."""
    right, middle, bottom = x + width, y + height / 2, y + height
    match kind:
        case "entry":
            return _polygon((x + 8, y), (right, y), (right - 8, bottom), (x, bottom))
        case "branch":
            above, below = ((x + 9, y), (right - 9, y)), ((right - 9, bottom), (x + 9, bottom))
            return _polygon(*above, (right, middle), *below, (x, middle))
        case "task":
            double = f"M{_n(x + 5)} {_n(y)}V{_n(bottom)}M{_n(right - 5)} {_n(y)}V{_n(bottom)}"
            return _box(x, y, width, height, 0, 'class="card"') + f'<path stroke="#55606e" d="{double}"/>'
        case "end":
            return _box(x, y, width, height, 13, f'class="card" style="fill:{INK}"')
        case _:
            return _box(x, y, width, height, 10 if kind == "menu" else 0, 'class="card"')


def _polygon(*points: tuple[float, float]) -> str:
    path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    return f'<polygon class="card" points="{path}"/>'


def _box(x: float, y: float, width: float, height: float, radius: float, style: str) -> str:
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(radius)}" {style}/>'


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text{style} x="{_n(x)}" y="{_n(y)}">{escape(words)}</text>'


def _width(words: str) -> float:
    """How wide words of 13 pixels are at most; a guess on the safe side for every common sans-serif."""
    return 6.6 * len(words)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
