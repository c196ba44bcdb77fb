"""The sprite of icons."""

import pytest

from app.web.assets.vendor import icon_names
from app.web.navigation import MenuItem, navigation


def test_the_sprite_has_the_icon_of_each_entry_of_the_menu(app):
    entries = navigation(app).menu
    assert len(entries) > 3
    assert {entry.icon for entry in entries} <= icon_names()


def test_icons_are_named_by_keyword_so_that_the_sprite_finds_them():
    with pytest.raises(TypeError):
        MenuItem("tokens.list_tokens", "Tokens", 15, lambda actor: True, ("tokens",), "key")
