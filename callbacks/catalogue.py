"""Keeps the console's translations complete: collects the English texts of code and templates, and compiles the Dutch.

`python -m callbacks.catalogue` after a text was added or changed: it writes the new texts
into messages.po, where a person translates them, and makes messages.mo, which the console reads. Tests compare both.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).resolve().parent
PO = HERE / "translations" / "nl" / "LC_MESSAGES" / "messages.po"
MO = PO.with_suffix(".mo")
SOURCES = [("**/templates/**.*", "jinja2"), ("**.py", "python")]
JINJA = {"**/templates/**.*": {"silent": "false"}}
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None}
WIDTH = 120
WHENEVER = datetime(2026, 1, 1, tzinfo=UTC)  # the moment itself would make another file of every run
# Without the moments and addresses that tools like to put there, which change with every run.
HEADER = rb"""# Dutch texts of the console.
msgid ""
msgstr ""
"Language: nl\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""


def texts() -> Catalog:
    """Every text that the console may show, in English, without where it stands: that changes with every edit."""
    catalog = Catalog(charset="utf-8", fuzzy=False)
    found = extract_from_dir(str(HERE), SOURCES, JINJA, KEYWORDS)
    for _, _, message, _, context in sorted(found, key=lambda one: str(one[2])):
        catalog.add(message, context=context)
    return catalog


def read() -> Catalog:
    """The Dutch texts, as people wrote them."""
    with PO.open("rb") as file:
        return read_po(file, locale="nl", domain="messages")


def updated() -> Catalog:
    """The Dutch texts, with those that are new and without those that are gone. Nothing is guessed."""
    dutch = read()
    dutch.update(texts(), no_fuzzy_matching=True, update_creation_date=False)
    dutch.obsolete.clear()
    return dutch


def untranslated(catalog: Catalog) -> Iterator[str]:
    """The texts that have no Dutch yet."""
    for message in catalog:
        words = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and (message.fuzzy or not all(words)):
            yield str(message.id)


def written(catalog: Catalog) -> bytes:
    """The file in which people translate, in the order of the texts."""
    out = io.BytesIO(HEADER)
    out.seek(0, io.SEEK_END)
    write_po(out, catalog, width=WIDTH, sort_output=True, ignore_obsolete=True, include_lineno=False, omit_header=True)
    return out.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """What the console reads."""
    catalog.creation_date = WHENEVER
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def main() -> int:
    """Write both files; 1 where something is not translated."""
    catalog = updated()
    PO.write_bytes(written(catalog))
    MO.write_bytes(compiled(read()))
    missing = list(untranslated(catalog))
    sys.stdout.writelines(f"no Dutch yet: {text}\n" for text in missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
