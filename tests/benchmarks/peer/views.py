"""The pages."""

import hashlib
import json
import math
import os
import secrets
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask_login import current_user, login_required, login_user
from sqlalchemy import Select, select
from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Response

from tests.benchmarks.peer.forms import CityForm, LoginForm, UploadForm
from tests.benchmarks.peer.models import Change, City, File, User, db

PAGE_SIZE = 50
PI_SECONDS = 3600

bp = Blueprint("peer", __name__)


@bp.get("/healthz")
def healthz() -> str:
    return "ok"


@bp.route("/login", methods=["GET", "POST"])
def login() -> Any:
    form = LoginForm()
    if form.validate_on_submit():
        user = db.session.scalar(select(User).where(User.name == form.name.data))
        if user and user.has_password(form.password.data):
            login_user(user)
            return redirect(url_for("peer.list_cities"), 303)
        flash("Wrong name or password.")
    return render_template("login.html", form=form)


@bp.get("/empty")
@login_required
def empty() -> str:
    return "ok"


def newest_first() -> Select[tuple[City]]:
    """The cities that a search finds by the beginning of their name, or all."""
    query = select(City).order_by(City.id.desc())
    if word := request.args.get("q", "").strip():
        query = query.where(City.name.startswith(word, autoescape=True))
    return query


@bp.get("/cities")
@login_required
def list_cities() -> str:
    """A page of the list, with the number of all pages."""
    page = db.paginate(newest_first(), per_page=PAGE_SIZE)
    return render_template("cities.html", cities=page.items, page=page.page, pages=page.pages)


@bp.get("/cities/uncounted")
@login_required
def list_uncounted() -> str:
    """A page of the list, without the number of pages."""
    page = max(1, request.args.get("page", 1, int))
    query = newest_first().offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE)
    return render_template("cities.html", cities=db.session.scalars(query), page=page, pages=None)


def create(with_history: bool) -> Any:
    """Add a city."""
    form = CityForm()
    if not form.validate_on_submit():
        return render_template("create_city.html", form=form), 422 if form.is_submitted() else 200
    city = City(province=form.province.data, name=form.city.data, users=form.number.data)
    db.session.add(city)
    db.session.flush()
    if with_history:
        after = json.dumps({"province": city.province, "city": city.name, "users": city.users})
        change = Change(user_id=current_user.id, action="city.create", city_id=city.id, after=after)
        db.session.add(change)
    db.session.commit()
    # Without a message: wrk opens no page that would take it out of the session, which would grow.
    return redirect(url_for("peer.list_cities"), 303)


@bp.route("/cities/new", methods=["GET", "POST"])
@login_required
def create_city() -> Any:
    return create(with_history=True)


@bp.route("/cities/new/unrecorded", methods=["GET", "POST"])
@login_required
def create_unrecorded() -> Any:
    return create(with_history=False)


@bp.get("/pi/<int:n>")
@login_required
def pi(n: int) -> Response:
    """π from n terms, from Redis if it was computed before."""
    redis = current_app.config["SESSION_REDIS"]
    key = f"peer:pi:{n}"
    if found := redis.get(key):
        return jsonify(cached=True, result=float(found))
    result = math.sqrt(6 * sum(1.0 / i / i for i in range(1, n)))
    redis.set(key, repr(result), ex=PI_SECONDS)
    return jsonify(cached=False, result=result)


@bp.get("/files")
@login_required
def list_files() -> str:
    query = select(File).order_by(File.id.desc()).limit(PAGE_SIZE)
    return render_template("files.html", files=db.session.scalars(query), form=UploadForm())


@bp.post("/upload")
@login_required
def upload() -> Any:
    form = UploadForm()
    if not form.validate_on_submit():
        return render_template("files.html", files=[], form=form), 422
    db.session.add(store(form.file.data))
    db.session.commit()
    return redirect(url_for("peer.list_files"), 303)


def store(sent: FileStorage) -> File:
    """Save an uploaded file, with its digest, on the disk when this returns."""
    stored_as = secrets.token_hex(16)
    path = folder() / stored_as
    sent.save(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return File(
        name=secure_filename(sent.filename or "file"),
        stored_as=stored_as,
        size=path.stat().st_size,
        sha256=digest,
        owner_id=current_user.id,
    )


@bp.get("/files/<int:file_id>")
@login_required
def download(file_id: int) -> Response:
    file = db.get_or_404(File, file_id)
    return send_file(folder() / file.stored_as, as_attachment=True, download_name=file.name)


def folder() -> Path:
    return Path(current_app.config["FILES_DIR"])
