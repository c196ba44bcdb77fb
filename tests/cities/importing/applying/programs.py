"""The programs of tests/jobs/programs.py, for imports in small pieces:
python -m tests.cities.importing.applying.programs worker|clock."""

import runpy

from app.cities.importing import staging
from app.cities.importing.applying import parts

parts.LINES = staging.CHUNK = 25

if __name__ == "__main__":
    runpy.run_module("tests.jobs.programs", run_name="__main__")
