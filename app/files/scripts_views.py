"""The page "For scripts": one's tokens, and the lines to type."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.auth import tokens
from app.auth.forms import TokenForm
from app.current import actor, settings
from app.errors import DomainError
from app.web.forms import add_form_errors
from app.web.permissions import role_required

bp = Blueprint("scripts", __name__)

# Templates of text: they are escaped where they stand in the page, not in themselves.
EXAMPLES = (
    "curl_upload",
    "curl_folder",
    "curl_download",
    "curl_by_number",
    "python_upload",
    "python_download",
)


def page(form: TokenForm, made: str = "", status: int = 200) -> tuple[str, int]:
    """The page, with the text of the token that was made just now."""
    server = request.url_root.rstrip("/")
    text = render_template(
        "files/scripts.html",
        form=form,
        made=made,
        tokens=tokens.list_tokens(actor().person_id),
        examples={
            name: render_template(f"files/examples/{name}.txt", server=server) for name in EXAMPLES
        },
        limits=settings(),
    )
    return text, status


@bp.get("/files/scripts")
@role_required()
def scripts() -> tuple[str, int]:
    """Tokens and examples."""
    return page(TokenForm(formdata=None))


@bp.post("/files/scripts")
@role_required(by_token=False)
def create_token() -> tuple[str, int]:
    """Make a token. Its text stands in this answer and is kept nowhere, so that this once success
    does not redirect."""
    form = TokenForm()
    if not form.validate_on_submit():
        return page(form, status=422)
    try:
        made = tokens.create_token(actor().person_id, form.label.data)
    except DomainError as error:
        return page(form, status=add_form_errors(form, error))
    return page(TokenForm(formdata=None), made)


@bp.post("/files/scripts/<int:token_id>/end")
@role_required(by_token=False)
def end_token(token_id: int) -> Response:
    """From now on the token is refused."""
    tokens.end_token(actor().person_id, token_id)
    flash(_("The token is ended."), "good")
    return redirect(url_for("scripts.scripts"), 303)
