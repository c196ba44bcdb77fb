"""What the list of files keeps in Redis: how many there are, and their size together."""

from app.kept import KeptTexts

TEXTS = KeptTexts("gz:files")
changed, kept = TEXTS.changed, TEXTS.kept
