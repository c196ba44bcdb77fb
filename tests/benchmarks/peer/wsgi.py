"""What gunicorn loads."""

import os

from tests.benchmarks.peer.application import create_app

app = create_app(os.environ)
