"""The jobs of imports."""

from flask_babel import lazy_gettext as _l

from app.actor import Role
from app.cities.importing import services, staging
from app.jobs.kinds import JobKind

KINDS = (JobKind(services.STAGE, _l("Preview of an import"), staging.stage, Role.EDITOR),)
