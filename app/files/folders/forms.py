"""The forms of folders: a name, and where something is moved to."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField

from app.files.models import FOLDER_LENGTH, NAME_LENGTH
from app.web.forms import BaseForm

# The rules are in names.py and paths.py; what is longer is reported by them, not cut by a browser.
NAME = {"autocomplete": "off", "maxlength": 4 * NAME_LENGTH, "spellcheck": "false"}
PATH = {"autocomplete": "off", "maxlength": 4 * FOLDER_LENGTH, "spellcheck": "false"}


class FolderForm(BaseForm):
    """A new folder."""

    name = StringField(_l("Name of the folder"), render_kw={**NAME, "required": True})


class PlaceForm(BaseForm):
    """Where files and folders are moved to. `offers_folder` if that is not there and can be
    created."""

    offers_folder = False

    folder = StringField(_l("Move to"), render_kw={**PATH, "list": "folders"})

    @property
    def new_name(self) -> str | None:
        """What was typed as a name; None where none is asked for."""
        return None


class MoveForm(PlaceForm):
    """Another name and place for one file or folder."""

    name = StringField(_l("New name"), render_kw={**NAME, "required": True})

    @property
    def new_name(self) -> str | None:
        return self.name.data or ""
