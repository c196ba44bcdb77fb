"""The cookie of a browser that has signed in: see devices.py."""

from flask import request
from werkzeug.wrappers import Response

from app.auth.sign_in.devices import add_device
from app.web.client import cookie_name, set_lasting_cookie

NAME = "gz_device"


def sent_devices() -> str:
    """The cookie of the request, or an empty text."""
    return request.cookies.get(cookie_name(NAME), "")


def remember_device(response: Response, person_id: int) -> Response:
    """Have the browser remember that it has signed in as this person."""
    set_lasting_cookie(response, NAME, add_device(sent_devices(), person_id))
    return response
