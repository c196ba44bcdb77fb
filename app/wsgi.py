"""The WSGI application that gunicorn loads."""

from app import create_app
from app.cli.warm_up import warm_up
from app.config import Settings
from app.logs.process import configure

settings = Settings.load()
configure(settings)
app = create_app(settings, commands=False)
warm_up(app)
