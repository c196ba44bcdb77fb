"""The WSGI application that gunicorn loads."""

from app import create_app, logs
from app.config import Settings

settings = Settings.load()
logs.configure(settings)
app = create_app(settings, commands=False)
