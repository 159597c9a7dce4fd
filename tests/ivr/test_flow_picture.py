"""The picture of the flow shows every node and every way out, overlaps nowhere, and is as new as the code."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from callbacks.lifecycle import Urgency
from ivr import flow, flow_drawing, flow_words, triage
from ivr.flow import Flow
from ivr.flow_layout import LANE, Layout, lay_out
from ivr.flow_picture import FLOW_DOCUMENT, FLOW_PICTURE, mermaid, svg, write
from ivr.nodes import Message, exits_of

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
LINE = flow.build()
LETTER = 0.5  # of its height: how wide a letter of a sans-serif is in a sentence
ENOUGH_CONTRAST = 4.5  # WCAG 2.2, level AA, for text


@pytest.fixture(scope="module")
def drawing() -> ET.Element:
    return ET.fromstring(svg(LINE))  # noqa: S314  our own drawing


@pytest.fixture(scope="module")
def layout() -> Layout:
    return lay_out(LINE)


def words_in(drawing: ET.Element) -> list[str]:
    return [text.text or "" for text in drawing.iter(f"{SVG}text")]


def test_the_text_names_every_node_once_in_a_room_of_its_own() -> None:
    lines = mermaid(LINE).splitlines()
    shapes = [line.strip() for line in lines if line.startswith("    ")]
    assert sorted(re.match(r"\w+", shape)[0] for shape in shapes) == sorted(LINE.nodes)  # type: ignore[index]
    assert [line for line in lines if "subgraph" in line] == [
        f'  subgraph room_{room}["{title}"]' for room, title in flow_words.ROOM_TITLES.items()
    ]


def test_the_text_has_an_arrow_for_every_way_out() -> None:
    found = set(re.findall(r"^  (\w+) (?:-->|-\.->)(?:\|[^|]*\|)? (\w+)$", mermaid(LINE), re.MULTILINE))
    every = {(name, goto) for name, node in LINE.nodes.items() for goto in exits_of(node)}
    missing = every - found
    assert {goto for _, goto in missing} == {flow.CALLBACK}, "only the usual end of patience is said once, for all"
    assert not found - every


def test_an_arrow_of_the_text_says_key_and_answer() -> None:
    text = mermaid(LINE)
    assert 'menu_main -->|"1 Care you need now"| triage_next' in text
    assert 'callback_offer -.->|"Silence twice"| goodbye' in text
    assert "opening --> menu_main" in text


def test_kinds_of_node_have_different_shapes() -> None:
    text = mermaid(LINE)
    assert 'menu_main("Main menu")' in text
    assert "triage_next{" in text
    assert "callback_request[[" in text
    assert "goodbye([" in text
    assert "callback_number_entry[/" in text


def test_no_word_breaks_the_text() -> None:
    labels = re.findall(r'"([^"]*)"', mermaid(LINE))
    assert labels
    assert not [label for label in labels if re.search(r"[|\[\]{}]", label)]


def test_the_drawing_has_a_card_for_every_node_and_says_its_name(drawing: ET.Element) -> None:
    tooltips = [title.text for group in drawing.iter(f"{SVG}g") for title in group.findall(f"{SVG}title")]
    assert tooltips == [flow_words.title_of(name) for name in lay_out(LINE).cards]
    assert set(tooltips) <= set(words_in(drawing))


def test_the_drawing_shows_or_names_every_way_out(layout: Layout) -> None:
    for name, card in layout.cards.items():
        assert [way.way for way in card.exits] == list(flow_words.ways_of(LINE[name]))
        assert all(way.is_drawn or way.is_written for way in card.exits)


def test_every_arrow_ends_at_a_card(layout: Layout) -> None:
    edges = {(x, card.node.name) for card in layout.cards.values() for x in (card.x, card.right)}
    for bundle in layout.bundles:
        for x, y in (*bundle.starts, *bundle.ends):
            assert any(
                x == edge and layout.cards[name].y <= y <= layout.cards[name].y + layout.cards[name].height
                for edge, name in edges
            )


def test_every_key_of_the_flow_is_in_a_circle(drawing: ET.Element) -> None:
    keys = [text.text for text in drawing.iter(f"{SVG}text") if text.get("class") == "key"]
    of_nodes = [way.way.key for card in lay_out(LINE).cards.values() for way in card.exits if way.way.key]
    for key in "1234#":
        assert keys.count(key) >= of_nodes.count(key) > 0
    assert [key for key, _ in flow_words.EVERYWHERE] == keys[:3] == ["0", "9", "*"]


def test_every_outcome_says_how_soon_we_call(drawing: ET.Element) -> None:
    said = {words[0]: words[1:] for group in drawing.iter(f"{SVG}g") if (words := words_in(group))}
    for row in triage.TABLE:
        sooner = flow_words.SOONER.get(row.outcome)
        expected = (
            [row.urgency.name, "P2", sooner] if sooner else [row.urgency.name, flow_words.URGENCY_WORDS[row.urgency]]
        )
        assert said[flow_words.title_of(f"outcome_{row.outcome}")] == expected


def test_what_is_said_to_be_sooner_is_what_the_table_makes_sooner() -> None:
    sooner = {
        row.outcome
        for row in triage.TABLE
        for who, refused in product(triage.Who, triage.Refused)
        if row.sooner(triage.Case(who=who, refused=refused))
    }
    assert sooner == set(flow_words.SOONER)


@pytest.mark.parametrize(
    "question, words",
    [
        ("triage_danger", ""),
        ("triage_wait", "Skipped: a bill; place to sleep, lawyer"),
        ("triage_who", "Skipped: pregnancy or baby"),
        ("triage_group", "Skipped: place to sleep, lawyer"),
        ("triage_payer", "Only after: none, or won't say"),
        ("triage_refused", "Skipped: place to sleep, lawyer"),
    ],
)
def test_a_question_says_when_it_is_skipped(question: str, words: str) -> None:
    assert flow_words.skip_words(question) == words


def test_no_card_lies_on_another_and_none_outside(layout: Layout) -> None:
    cards = list(layout.cards.values())
    for one, other in combinations(cards, 2):
        apart = one.right < other.x or other.right < one.x
        assert apart or one.y + one.height < other.y or other.y + other.height < one.y
    assert all(0 < card.x < card.right < layout.width and card.y + card.height < layout.height for card in cards)


def test_no_ground_lies_on_another(layout: Layout) -> None:
    for one, other in combinations(layout.panels, 2):
        apart = one.x + one.width < other.x or other.x + other.width < one.x
        assert apart or one.y + one.height < other.y or other.y + other.height < one.y


def test_no_lane_crosses_a_card_and_no_two_lie_on_each_other(layout: Layout) -> None:
    lanes = [(layout.lane_x(bundle), *bundle.span) for bundle in layout.bundles]
    for x, low, high in lanes:
        assert not [
            c for c in layout.cards.values() if c.x - LANE < x < c.right + LANE and c.y < high and low < c.y + c.height
        ]
    for (x, low, high), (other_x, other_low, other_high) in combinations(lanes, 2):
        assert abs(x - other_x) >= LANE or high < other_low or other_high < low


def test_every_text_fits_the_drawing_and_its_card(drawing: ET.Element, layout: Layout) -> None:
    for text in drawing.iter(f"{SVG}text"):
        size = {"name": 26, "room": 17, "title": 14, "title light": 14, "note": 12}.get(text.get("class", ""), 13)
        start, width = float(text.get("x", 0)), len(text.text or "") * size * LETTER
        on_a_card = next(
            (
                card
                for card in layout.cards.values()
                if card.x <= start <= card.right and card.y <= float(text.get("y", 0)) <= card.y + card.height
            ),
            None,
        )
        if text.get("class") != "key":
            assert start + width <= (on_a_card.right if on_a_card else layout.width), text.text


@pytest.mark.parametrize("colour", [*flow_drawing.GROUNDS.values(), "#ffffff"])
def test_words_stand_out_from_every_ground(colour: str) -> None:
    for ink in (flow_drawing.INK, "#46525f", "#3b4754"):
        assert contrast(ink, colour) >= ENOUGH_CONTRAST


@pytest.mark.parametrize("urgency", Urgency)
def test_white_words_stand_out_from_every_urgency(urgency: Urgency) -> None:
    assert contrast("#ffffff", flow_drawing.URGENCY_INKS[urgency]) >= ENOUGH_CONTRAST


def test_a_screen_reader_is_told_what_the_drawing_shows(drawing: ET.Element) -> None:
    named = [drawing.find(f"{SVG}title"), drawing.find(f"{SVG}desc")]
    assert drawing.get("role") == "img"
    assert drawing.get("aria-labelledby", "").split() == [part.get("id") for part in named if part is not None]
    assert named[1] is not None
    assert "Danger to life: 112: P0, now" in (named[1].text or "")


def test_a_node_says_its_words_when_pointed_at() -> None:
    drawn = svg(LINE, lambda name: f"<{name}>")
    assert "<title>Main menu: &lt;menu_main&gt;</title>" in drawn
    assert "&lt;receptionist_duty&gt;" in drawn
    ET.fromstring(drawn)  # noqa: S314  our own drawing


def test_a_new_node_is_drawn_although_nobody_named_or_placed_it() -> None:
    opening = LINE["opening"]
    assert isinstance(opening, Message)
    new = Message(name="rights_eye_care", says=("x",), goto="menu_main")
    grown = Flow({**LINE.nodes, "opening": replace(opening, goto=new.name), new.name: new})
    assert "Eye care" in svg(grown)
    assert "opening --> rights_eye_care" in mermaid(grown)


def test_a_third_language_is_drawn() -> None:
    drawn = svg(flow.build(("nl", "en", "fr")))
    assert ">Fr<" in drawn


def test_every_name_in_the_picture_is_of_something_that_exists() -> None:
    assert set(flow_words.TITLES) <= set(LINE.nodes)
    assert set(flow_words.URGENCY_WORDS) == set(Urgency)


def test_the_picture_in_the_documentation_is_as_new_as_the_code(tmp_path: Path) -> None:
    write(tmp_path, LINE)
    for name in (FLOW_DOCUMENT, FLOW_PICTURE):
        fresh, kept = (folder.joinpath(name).read_text(encoding="utf-8") for folder in (tmp_path, DOCS))
        assert fresh == kept, f"docs/{name} is old: zorglijn flow --write docs"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, by WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
