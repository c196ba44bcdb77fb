"""The field for the address that a result is sent to."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Optional

from app.current import settings
from app.jobs.deliveries.models import URL_LENGTH
from app.jobs.kinds import JobKind
from app.text import N_


def form_of(kind: JobKind) -> Any:
    """The class of the form of a kind, with the address if its results are sent anywhere."""
    is_sent = kind.delivers and settings().delivery_targets
    return with_target(kind.form) if is_sent else kind.form


def with_target(form: Any) -> Any:
    """The class of a form with one more field."""
    servers = [target.origin for target in settings().delivery_targets]
    target = StringField(
        _l("Send the result to"),
        [Optional()],
        description=N_("An address at %(servers)s.", servers=servers),
        render_kw={"maxlength": URL_LENGTH, "inputmode": "url", "autocomplete": "off"},
    )
    return type("DeliveryForm", (form,), {"target": target})
