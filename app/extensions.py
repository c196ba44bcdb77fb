"""Flask extensions, unbound; the packages' `init_app()` binds them. Importing opens nothing."""

from flask_babel import Babel
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
babel = Babel()
