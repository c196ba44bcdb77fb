"""Makes the application."""

from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from flask_login import LoginManager
from flask_session import Session
from flask_wtf import CSRFProtect
from redis import Redis
from werkzeug.security import generate_password_hash

from tests.benchmarks.peer.models import User, db
from tests.benchmarks.peer.views import bp

LARGEST_FORM = 300 << 20


def create_app(environ: Mapping[str, str]) -> Flask:
    """The application with the addresses and folders of the environment."""
    app = Flask(__name__)
    files = Path(environ["FILES_DIR"])
    files.mkdir(parents=True, exist_ok=True)
    app.config.update(
        SECRET_KEY=environ["SECRET_KEY"],
        SQLALCHEMY_DATABASE_URI=environ["DATABASE_URL"].replace("mysql://", "mysql+pymysql://"),
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 20, "pool_pre_ping": True, "pool_recycle": 360},
        SESSION_TYPE="redis",
        SESSION_REDIS=Redis.from_url(environ["REDIS_URL"]),
        FILES_DIR=str(files),
        MAX_CONTENT_LENGTH=LARGEST_FORM,
    )
    db.init_app(app)
    Session(app)
    CSRFProtect(app)
    logins = LoginManager(app)
    logins.login_view = "peer.login"
    logins.user_loader(lambda user_id: db.session.get(User, int(user_id)))
    app.register_blueprint(bp)
    return app


def add_user(name: str, password: str) -> None:
    """Create an account, inside an application context."""
    db.session.add(User(name=name, password_hash=generate_password_hash(password)))
    db.session.commit()
