"""Flask extensions, unbound; the packages' `init_app()` binds them. Importing opens nothing."""

from flask_babel import Babel

babel = Babel()
