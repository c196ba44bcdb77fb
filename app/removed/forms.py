"""The form that empties a list of removed things."""

from datetime import UTC, datetime

from wtforms import HiddenField
from wtforms.validators import ValidationError

from app.text import N_
from app.web.forms import BaseForm


def read_until(text: str | None) -> datetime | None:
    """The moment in a form, in UTC; None for what is no moment with a time zone."""
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


class EmptyForm(BaseForm):
    """Until when the list is emptied: the moment at which the page with the number was shown. What
    is removed after that is not on it."""

    until = HiddenField()

    def validate_until(self, field: HiddenField) -> None:
        if read_until(field.data) is None:
            raise ValidationError(str(N_("This page is out of date. Reload it and try again.")))

    @property
    def moment(self) -> datetime:
        """The moment of a valid form."""
        return datetime.fromisoformat(self.until.data)
