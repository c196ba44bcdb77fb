"""The page of one's own tokens."""

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.auth.sign_in.device_cookie import sent_devices
from app.auth.tokens import services as tokens
from app.auth.tokens.forms import TokenForm
from app.current import actor
from app.web.forms import submit
from app.web.notices import Notice
from app.web.permissions import role_required

bp = Blueprint("tokens", __name__)


def draw_page(form: TokenForm, text: str = "") -> str:
    """The list, the form for a new token, and the text of one that was just created."""
    own = tokens.list_tokens(actor())
    return render_template("auth/tokens/list_tokens.html", form=form, tokens=own, text=text)


@bp.get("/account/tokens")
@role_required(by_token=False)
def list_tokens() -> str:
    return draw_page(TokenForm(formdata=None))


@bp.post("/account/tokens")
@role_required(by_token=False)
def create_token() -> tuple[str, int]:
    """Create a token. Unlike other successes it does not redirect: the token's text is in this one
    response only."""
    form = TokenForm()
    fields = (form.label.data, form.password.data, form.days.data)
    sent = submit(form, lambda: tokens.create_token(actor(), *fields, sent_devices()))
    if sent.done:
        return draw_page(TokenForm(formdata=None), sent.result), 200
    return draw_page(form), sent.status


@bp.post("/account/tokens/<int:token_id>/revoke")
@role_required(by_token=False)
def revoke_token(token_id: int) -> Response:
    tokens.revoke_token(actor(), token_id)
    Notice(_("Token revoked.")).show()
    return redirect(url_for("tokens.list_tokens"), 303)
