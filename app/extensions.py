"""The extensions, unbound; `create_app()` binds them. Nothing here opens a connection."""

from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
babel = Babel()
limiter = Limiter(get_remote_address)
