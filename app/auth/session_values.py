"""A person's own values in their session: the rules, on the plain mapping that holds them."""

import unicodedata
from collections.abc import MutableMapping
from typing import Any

from flask_babel import gettext as _

from app.errors import Invalid, NotFound

KEY_LENGTH = 64
VALUE_LENGTH = 1000
KEYS = 50


def check_key(key: str) -> str:
    """A key as it is kept: NFC, trimmed, 1 to 64 characters, none of them a control."""
    # NFC can only make a key that fits out of one of a few times the length.
    key = key.strip()
    key = unicodedata.normalize("NFC", key).strip() if len(key) <= 4 * KEY_LENGTH else ""
    if not 1 <= len(key) <= KEY_LENGTH:
        raise Invalid(fields={"key": _("A key has 1 to %(n)d characters.", n=KEY_LENGTH)})
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in key):
        raise Invalid(fields={"key": _("A key has no control characters.")})
    return key


def list_values(session: MutableMapping[str, Any]) -> dict[str, str]:
    """All values by key. They stand under one name of the session, so that no key of theirs can
    touch what the session itself keeps there."""
    kept = session.get("values", {})
    return dict(kept) if isinstance(kept, dict) else {}


def put_value(session: MutableMapping[str, Any], key: str, value: str) -> str:
    """Keep a value, in the place of an earlier one; returns the key as it is kept."""
    key = check_key(key)
    if len(value) > VALUE_LENGTH:
        text = _("A value has at most %(n)d characters.", n=VALUE_LENGTH)
        raise Invalid(fields={"value": text})
    values = list_values(session)
    if key not in values and len(values) >= KEYS:
        text = _("A session holds %(n)d values. Remove one first.", n=KEYS)
        raise Invalid(fields={"key": text})
    session["values"] = {**values, key: value}
    return key


def get_value(session: MutableMapping[str, Any], key: str) -> str:
    """One value; `NotFound` when there is none."""
    try:
        return list_values(session)[check_key(key)]
    except KeyError:
        raise NotFound(_("There is no value under this key.")) from None


def pop_value(session: MutableMapping[str, Any], key: str) -> None:
    """Remove one value; `NotFound` when there is none."""
    get_value(session, key)
    key = check_key(key)
    session["values"] = {k: v for k, v in list_values(session).items() if k != key}


def clear_values(session: MutableMapping[str, Any]) -> int:
    """Remove all values and nothing else; returns how many there were."""
    count = len(list_values(session))
    session["values"] = {}
    return count
