"""The extensions, unbound; `create_app()` binds them. Nothing here opens a connection."""

from flask_babel import Babel
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
babel = Babel()
