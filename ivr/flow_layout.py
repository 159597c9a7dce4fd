"""Where everything in the drawing of the flow is: cards in columns, and arrows in the gutters between the columns.

Arrows run only through gutters, where no text is, each group on a lane of its own; so nothing can overlap. A way that
would have to cross a column is not drawn but named on its card. `flow_drawing` puts ink on what is placed here. Units
are pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ivr.flow import Flow
from ivr.flow_words import Room, Way, outcome_row, room_of, skip_words, title_of, ways_of
from ivr.nodes import Branch, Node

MARGIN = 28
TOP = 134  # below the title and what works everywhere
CARD_WIDTH = 262
TITLE_HEIGHT = 26
NOTE_HEIGHT = 17
ROW_HEIGHT = 20
CARD_GAP = 12
HEADING_HEIGHT = 34
PANEL_GAP = 26
PANEL_PADDING = 12
LANE = 9
CLOSEST = 2.5  # two lines nearer than this would be taken for one
GUTTER_EDGE = 22  # free space on each side of the lanes, for arrowheads and keys
COLUMNS = 5

# Where a room begins: its column, and its band (0 above, 1 below).
ROOM_PLACES = {
    Room.WELCOME: (0, 0),
    Room.RECEPTIONIST: (0, 1),
    Room.TRIAGE: (1, 0),
    Room.OUTCOMES: (2, 0),
    Room.CALLBACK: (3, 0),
    Room.GOODBYE: (4, 0),
    Room.RIGHTS: (1, 1),
}
# Where the column changes within a room: from these nodes on, in the order of the flow.
NEXT_COLUMN = {
    "callback_request_without_number": 0,
    "callback_queued": 1,
    "rights_doctor": 1,
    "rights_stress": 2,
    "rights_health_check": 3,
}
OUT_OF_ORDER = {"rights_more": 1}  # nodes that stand further to the right than their neighbours


@dataclass(frozen=True)
class Exit:
    """A way out in its place: whether the card has a line for it, and whether an arrow shows where it goes."""

    way: Way
    y: float
    is_written: bool
    is_drawn: bool


@dataclass(frozen=True)
class Card:
    """A node in its place, with its ways out."""

    node: Node
    column: int
    x: float
    y: float
    height: float
    title: str
    note: str
    exits: tuple[Exit, ...]

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + CARD_WIDTH

    @property
    def title_y(self) -> float:
        """The middle of its title."""
        return self.y + TITLE_HEIGHT / 2


@dataclass(frozen=True)
class Panel:
    """The ground on which the cards of a room stand."""

    room: Room
    x: float
    y: float
    width: float
    height: float


@dataclass
class Bundle:
    """Arrows that share a lane: several that come from one place, or go to one."""

    gutter: int
    starts: list[tuple[float, float]] = field(default_factory=list)
    ends: list[tuple[float, float]] = field(default_factory=list)
    lane: int = 0

    @property
    def span(self) -> tuple[float, float]:
        """From where to where it runs, top to bottom."""
        heights = [y for _, y in (*self.starts, *self.ends)]
        return min(heights), max(heights)


@dataclass(frozen=True)
class Layout:
    """The whole drawing, placed. `gutters` are the left edges of each gutter's lanes; gutter n follows column n."""

    cards: dict[str, Card]
    panels: tuple[Panel, ...]
    bundles: tuple[Bundle, ...]
    gutters: tuple[float, ...]
    width: float
    height: float

    def lane_x(self, bundle: Bundle) -> float:
        """Where the lane of this bundle is."""
        return self.gutters[bundle.gutter] + bundle.lane * LANE


def lay_out(flow: Flow) -> Layout:
    """Place every node and every arrow."""
    columns = _columns(flow)
    # Which lanes there are depends on heights alone: counted first, they tell how wide the gutters are.
    narrow, _ = _cards(flow, columns, [0.0] * COLUMNS)
    counts = _assign_lanes(_bundles(narrow))
    lefts, gutters = _across(counts)
    cards, bottoms = _cards(flow, columns, lefts)
    bundles = _bundles(cards)
    _assign_lanes(bundles)
    panels = tuple(_panels(cards))
    width = gutters[-1] + counts[-1] * LANE + GUTTER_EDGE + MARGIN
    return Layout(cards, panels, tuple(bundles), tuple(gutters), width, max(bottoms) + MARGIN)


def _columns(flow: Flow) -> dict[str, int]:
    """The column of every node."""
    columns: dict[str, int] = {}
    shift: dict[Room, int] = {}
    for name in flow.nodes:
        room = room_of(name)
        shift[room] = NEXT_COLUMN.get(name, shift.get(room, 0))
        columns[name] = min(ROOM_PLACES[room][0] + OUT_OF_ORDER.get(name, shift[room]), COLUMNS - 1)
    return columns


def _across(counts: Sequence[int]) -> tuple[list[float], list[float]]:
    """The left edges of the columns, and of the lanes behind each."""
    x, lefts, gutters = float(MARGIN + PANEL_PADDING), [], []
    for lanes in counts:
        lefts.append(x)
        gutters.append(x + CARD_WIDTH + GUTTER_EDGE)
        x = gutters[-1] + lanes * LANE + GUTTER_EDGE
    return lefts, gutters


def _cards(flow: Flow, columns: dict[str, int], lefts: list[float]) -> tuple[dict[str, Card], list[float]]:
    """Stack the cards of each band, column by column; also how far down each column reaches."""
    cards: dict[str, Card] = {}
    bottoms = [float(TOP)] * COLUMNS
    for band in (0, 1):
        if band:
            bottoms = [max(bottoms) + PANEL_GAP] * COLUMNS
        above: list[Room | None] = [None] * COLUMNS
        for node in _in_order(flow, band):
            column, room = columns[node.name], room_of(node.name)
            if above[column] is not room:
                bottoms[column] += HEADING_HEIGHT + (PANEL_GAP if above[column] else 0)
                above[column] = room
            cards[node.name] = _card(node, columns, lefts[column], bottoms[column])
            bottoms[column] += cards[node.name].height + CARD_GAP
    return cards, bottoms


def _in_order(flow: Flow, band: int) -> list[Node]:
    nodes = [node for node in flow.nodes.values() if ROOM_PLACES[room_of(node.name)][1] == band]
    return sorted(nodes, key=lambda node: node.name in OUT_OF_ORDER)


def _card(node: Node, columns: dict[str, int], x: float, y: float) -> Card:
    column, note = columns[node.name], skip_words(node.name)
    extra = ROW_HEIGHT if outcome_row(node.name) else NOTE_HEIGHT if note else 0
    line = y + TITLE_HEIGHT + extra
    exits = []
    for way in ways_of(node):
        is_drawn = columns[way.goto] - column in (0, 1)  # down or up the same column, or to the next one
        is_written = bool(way.label) or not is_drawn
        exits.append(Exit(way, line + ROW_HEIGHT / 2 if is_written else y + TITLE_HEIGHT / 2, is_written, is_drawn))
        line += ROW_HEIGHT if is_written else 0
    height = line - y + (5 if any(way.is_written for way in exits) else 0)
    return Card(node, column, x, y, height, title_of(node.name), note, tuple(exits))


def _bundles(cards: dict[str, Card]) -> list[Bundle]:
    """Every arrow, those with a common end or a common start together."""
    bundles: dict[tuple[int, str], Bundle] = {}
    heights = _Heights(cards)
    for card in cards.values():
        for way in card.exits:
            if way.is_drawn:
                _add(bundles, heights, card, way, cards[way.way.goto])
    return list(bundles.values())


def _add(bundles: dict[tuple[int, str], Bundle], heights: _Heights, card: Card, way: Exit, target: Card) -> None:
    """Add an arrow to its bundle: those of a branch have their start in common, all others their end."""
    name, goto = card.node.name, target.node.name
    is_branch, is_same = isinstance(card.node, Branch), card.column == target.column
    goes_left = is_branch and is_same and card.column > 0
    gutter = card.column - 1 if goes_left else card.column
    bundle = bundles.setdefault((gutter, f"from {name}" if is_branch else f"to {goto}"), Bundle(gutter))
    if not is_branch or not bundle.starts:
        edge = card.x if goes_left else card.right
        bundle.starts.append((edge, heights.free(gutter, card) if goes_left else way.y))
    if is_branch or not bundle.ends:
        edge = target.right if is_same and not goes_left else target.x
        bundle.ends.append((edge, heights.free(gutter, target)))


class _Heights:
    """Which heights of each gutter have a line already, so that no two lines lie on each other."""

    def __init__(self, cards: dict[str, Card]) -> None:
        self._taken: dict[int, list[float]] = {number: [] for number in range(COLUMNS)}
        for card in cards.values():
            self._taken[card.column] += [way.y for way in card.exits if way.is_drawn]

    def free(self, gutter: int, card: Card) -> float:
        """A height beside the card's title where there is still room for a line."""
        taken = self._taken[gutter]
        heights = [card.title_y + offset for offset in (0, 5, -5, 9, -9, 3, -3, 7, -7, 11, -11)]
        free = (y for y in heights if all(abs(y - other) >= CLOSEST for other in taken))
        taken.append(next(free, card.title_y))
        return taken[-1]


def _assign_lanes(bundles: list[Bundle]) -> list[int]:
    """Give every bundle a lane that is free where it runs, the short ones first; the number of lanes of each gutter."""
    lanes: list[list[list[tuple[float, float]]]] = [[] for _ in range(COLUMNS)]
    for bundle in sorted(bundles, key=lambda bundle: bundle.span[1] - bundle.span[0]):
        low, high = bundle.span
        gutter = lanes[bundle.gutter]
        free = (n for n, spans in enumerate(gutter) if all(high + LANE < a or b < low - LANE for a, b in spans))
        bundle.lane = next(free, len(gutter))
        if bundle.lane == len(gutter):
            gutter.append([])
        gutter[bundle.lane].append((low, high))
    return [len(gutter) for gutter in lanes]


def _panels(cards: dict[str, Card]) -> Iterator[Panel]:
    """The ground of every room, around all its cards."""
    for room in Room:
        of_room = [card for name, card in cards.items() if room_of(name) is room]
        if not of_room:
            continue
        left, top = min(card.x for card in of_room), min(card.y for card in of_room)
        right, bottom = max(card.right for card in of_room), max(card.y + card.height for card in of_room)
        yield Panel(
            room,
            left - PANEL_PADDING,
            top - HEADING_HEIGHT,
            right - left + 2 * PANEL_PADDING,
            bottom - top + HEADING_HEIGHT + PANEL_PADDING,
        )
