"""Bring translations up to date with the texts of the sources, for `make translations`.

Every translation stays where it is, unlike with `pybabel update`, which sorts them by the sources.
A new text follows the one before it in the sources; texts that are no longer used are deleted.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po


def key(message: Message) -> tuple[str, str | None]:
    """What identifies a text: its singular and its context."""
    text = message.id if isinstance(message.id, str) else message.id[0]
    return text, message.context


def update(translations: Catalog, template: Catalog) -> None:
    """Add the texts of the template to the translations, and delete those it does not have."""
    old = {key(message): message for message in translations if message.id}
    new = {key(message): message for message in template if message.id}
    order = [each for each in old if each in new]
    place = 0
    for each, message in new.items():
        if each not in old:
            order.insert(place, each)
        elif old[each].id == message.id:
            message.string, message.user_comments = old[each].string, old[each].user_comments
        place = order.index(each) + 1
    for message in old.values():
        translations.delete(message.id, message.context)
    for each in order:
        translations[new[each].id] = new[each]


def main(template_file: str, *files: str) -> None:
    """Update files with translations from a template."""
    for path in map(Path, files):
        with Path(template_file).open("rb") as source, path.open("rb") as file:
            template, translations = read_po(source), read_po(file)
        update(translations, template)
        header = path.read_text().partition("\n\n")[0]
        with path.open("wb") as file:
            file.write(f"{header}\n\n".encode())
            write_po(
                file, translations, width=0, no_location=True, omit_header=True,
                ignore_obsolete=True,
            )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
