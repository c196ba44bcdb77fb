"""Claiming a new installation."""

from flask_babel import gettext as _
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from app.actor import Actor, Role
from app.auth import services as auth
from app.cities import services as cities
from app.current import settings
from app.database.service import transaction
from app.errors import NotFound

LINK_SECONDS = 24 * 3600


def signer() -> URLSafeTimedSerializer:
    """Signs with the installation's own key."""
    return URLSafeTimedSerializer(settings().secret_key, salt="set-up")


def create_link_token() -> str:
    """The last part of the set-up link; it works for a day, and only until somebody used it."""
    return signer().dumps("first administrator")


def check_link_token(token: str) -> None:
    """404 for a wrong or old link, and for every link once the installation is claimed."""
    try:
        signer().loads(token, max_age=LINK_SECONDS)
    except (BadSignature, SignatureExpired):
        raise NotFound() from None
    if auth.somebody_exists():
        raise NotFound(_("This link was used already. Whoever used it can add you."))


def offers_sample() -> bool:
    """Whether sample cities may be added: never to those of an adopted register."""
    return cities.is_empty()


def claim(name: str, password: str, with_sample: bool) -> int:
    """Make the first administrator and, when wished and offered, the sample cities; both or
    neither. Returns the person's id."""
    person = auth.new_person(name, password, Role.ADMIN)

    @transaction
    def apply() -> int:
        person_id = auth.insert_first_administrator(person)
        auth.note_sign_in(person_id)  # the next page finds them signed in
        if with_sample and offers_sample():
            cities.insert_sample_cities(Actor(person_id, name, Role.ADMIN))
        return person_id

    return apply()
