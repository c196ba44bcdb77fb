"""Deliveries as pages and commands show them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from app.jobs.deliveries.models import Delivery, DeliveryState
from app.text import load_messages

STATES: Mapping[str, Any] = {
    DeliveryState.WAITING: _l("Waiting"),
    DeliveryState.RECEIVED: _l("Received"),
    DeliveryState.GIVEN_UP: _l("Given up"),
}


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery."""

    delivery: Delivery

    @property
    def state(self) -> str:
        return str(STATES.get(self.delivery.state, self.delivery.state))

    @property
    def error(self) -> str:
        """Why the last attempt failed."""
        return load_messages(self.delivery.last_error or "")

    @property
    def is_first(self) -> bool:
        """True if it is sent as soon as there is a result."""
        return self.delivery.state == DeliveryState.WAITING and not self.delivery.attempts

    @property
    def may_be_repeated(self) -> bool:
        return self.delivery.state != DeliveryState.RECEIVED and not self.is_first


def describe_deliveries(found: Iterable[Delivery]) -> list[DeliveryRow]:
    return [DeliveryRow(each) for each in found]
