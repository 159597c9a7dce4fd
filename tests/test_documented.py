"""What can be set, typed or found in the repository is documented, and nothing in it belongs to one machine only."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from app import main
from ivr.doctor_checks import REMEDIES
from settings import HERE, VARIABLES

COMMANDS = HERE / "docs" / "commands.md"
SETTINGS = ("ZORGLIJN_ENV", *VARIABLES)

# The rooms of the house, and what every Python project has beside them. A new entry is a new room: think, then add it.
ENTRIES = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "app.py",
    "bench",
    "callbacks",
    "docs",
    "ivr",
    "organisation.toml",
    "prompts",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
    "settings.py",
    "tests",
}
NEEDED = ENTRIES - {"LICENSE"}

# Whose index, whose machine: neither is anybody else's.
FOREIGN = {
    "a package index": re.compile(
        r"(?i)(?:py[p]i|pythonhosted|registry\.npm|npmjs|docker)\.(?:org|io|com)|(?m:^\s*-?-?(?:extra-)?index-url)"
    ),
    "a path of one machine": re.compile(r"(?<![\w.\-}/])/(?:work|root|home|mnt|Users)/\w"),
    "a temporary path": re.compile(r"(?<![\w.\-}/])/tmp/\w"),
}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that belongs to the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HERE, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a checkout of git: it is not known what belongs to the repository")
    return tuple(path for name in listed.stdout.split("\0") if name and (path := HERE / name).is_file())


def commands(group: click.Group, words: tuple[str, ...] = ("zorglijn",)) -> Iterator[tuple[str, click.Command]]:
    """Every command that can be typed, with the words that one types."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


TYPED = dict(commands(main))


def sections() -> dict[str, str]:
    """The page about the commands, a section a command."""
    parts = re.split(r"^#+ (.+)$", COMMANDS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_documented(name: str) -> None:
    assert f"| `{name}` |" in sections()["Settings"]
    assert name in (HERE / "README.md").read_text(encoding="utf-8")


def test_no_setting_is_documented_that_does_not_exist() -> None:
    assert re.findall(r"^\| `(\w+)` \|", sections()["Settings"], re.MULTILINE) == list(SETTINGS)


def test_the_doctor_has_a_remedy_for_every_setting() -> None:
    assert set(REMEDIES) == set(SETTINGS)


@pytest.mark.parametrize("words", TYPED)
def test_every_command_is_documented_with_its_options_and_only_those(words: str) -> None:
    section = sections().get(words)
    assert section is not None, f"docs/commands.md has no section {words!r}"
    options = [option for option in TYPED[words].params if isinstance(option, click.Option)]
    assert re.findall(r"^- `(--[\w-]+)`", section, re.MULTILINE) == [option.opts[0] for option in options]
    arguments = [
        argument.human_readable_name for argument in TYPED[words].params if isinstance(argument, click.Argument)
    ]
    assert all(argument in section for argument in arguments)


def test_a_default_that_is_documented_is_the_default() -> None:
    for words, command in TYPED.items():
        told = dict(re.findall(r"^- `(--[\w-]+)` \(([^)]*)\)", sections()[words], re.MULTILINE))
        options = [option for option in command.params if isinstance(option, click.Option)]
        shown = {option.opts[0]: str(option.default) for option in options if option.show_default}
        # Where the default is decided elsewhere, the help says it.
        said = {option.opts[0]: re.findall(r"\[default: ([^\]]+)\]", option.help or "") for option in options}
        shown |= {name: defaults[0] for name, defaults in said.items() if defaults}
        assert told == shown


def test_no_command_is_documented_that_does_not_exist() -> None:
    pages = [HERE / "README.md", HERE / "CHANGELOG.md", *(HERE / "docs").rglob("*.md")]
    known = {word for words in TYPED for word in words.split()[1:2]}
    for page in pages:
        assert set(re.findall(r"(?:`|bin/)zorglijn ([a-z]+)", page.read_text(encoding="utf-8"))) <= known, page.name
    documented = {heading for heading in sections() if heading.startswith("zorglijn ")}
    assert documented == set(TYPED)


@pytest.mark.parametrize("words", TYPED)
def test_every_command_says_what_it_does(words: str) -> None:
    command = TYPED[words]
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_every_target_of_make_is_documented() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*  ## ", (HERE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^\| `make ([a-z-]+)` \|", sections()["Make"], re.MULTILINE)) == targets
    named = re.findall(r"(?:`| {4})make ([a-z-]+)", (HERE / "README.md").read_text(encoding="utf-8"))
    assert set(named) <= targets


def test_every_entry_of_the_repository_has_a_place_in_the_house() -> None:
    entries = {path.relative_to(HERE).parts[0] for path in tracked()}
    assert entries <= ENTRIES
    assert entries >= NEEDED


def test_every_link_between_pages_leads_somewhere() -> None:
    there = {place for path in tracked() for place in (path, *path.parents)}
    for page in [path for path in tracked() if path.suffix == ".md"]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).resolve() in there, f"{page.relative_to(HERE)} links to {target}"


def test_every_decision_has_a_date_a_context_a_choice_and_a_cost() -> None:
    notes = sorted((HERE / "docs" / "decisions").glob("*.md"))
    assert notes
    for note in notes:
        text = note.read_text(encoding="utf-8")
        assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d-[a-z0-9-]+\.md", note.name)
        assert re.findall(r"^## (\w+)", text, re.MULTILINE)[:3] == ["Context", "Choice", "Cost"], note.name
        assert note.name[:10] in text


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_names_what_belongs_to_one_machine(what: str) -> None:
    found = [
        f"{path.relative_to(HERE)}: {match[0].strip()}"
        for path in tracked()
        if (match := FOREIGN[what].search(path.read_bytes().decode("utf-8", "replace")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "what, text",
    [
        ("a package index", "https://py" + "pi.org/simple"),
        ("a package index", "--index" + "-url https://x"),
        ("a path of one machine", "open('/ho" + "me/anna/x')"),
        ("a temporary path", "see /t" + "mp/x"),
    ],
)
def test_what_belongs_to_one_machine_is_recognised(what: str, text: str) -> None:
    assert FOREIGN[what].search(text)
