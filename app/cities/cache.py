"""What the register keeps in Redis: drawn fragments, the total, the names of provinces, figures."""

from app.kept import KeptTexts

TEXTS = KeptTexts("gz:cities")
changed, kept = TEXTS.changed, TEXTS.kept
