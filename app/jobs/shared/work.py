"""How sums and digests are computed."""

import hashlib
import json

from flask_babel import lazy_gettext as _l

from app.actor import Role
from app.jobs.kinds import JobKind
from app.jobs.run import Run
from app.jobs.shared import rules
from app.jobs.shared.forms import DigestForm, SumForm

# The sum waits as that of the original program does: an example of work that takes long.
SUM_SECONDS = 10.0
BLOCK = 1 << 16


def add(run: Run) -> str:
    """The sum of two numbers."""
    run.wait(SUM_SECONDS)
    return str(int(run.args["a"]) + int(run.args["b"]))


def digest(run: Run) -> str:
    """The SHA-256 of a text, and how large it is, as JSON."""
    text = run.args["text"]
    data, sha256 = text.encode(), hashlib.sha256()
    for start in range(0, len(data), BLOCK):
        sha256.update(data[start : start + BLOCK])
        run.report(min(start + BLOCK, len(data)), len(data))
    lines = len(text.splitlines())
    counts = {"bytes": len(data), "characters": len(text), "lines": lines}
    return json.dumps({"sha256": sha256.hexdigest(), **counts})


SUM = JobKind(
    "sum",
    _l("Sum"),
    add,
    Role.VIEWER,
    SumForm,
    offered=True,
    key_of=rules.key_of_sum,
    check=rules.check_sum,
    describe=rules.describe_sum,
)
DIGEST = JobKind(
    "digest",
    _l("Digest of a text"),
    digest,
    Role.VIEWER,
    DigestForm,
    offered=True,
    key_of=rules.key_of_text,
    delivers=True,
    check=rules.check_text,
    describe=rules.describe_text,
)
KINDS = (SUM, DIGEST)
