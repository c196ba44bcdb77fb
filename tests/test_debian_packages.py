"""scripts/debian-packages, on a machine that has next to nothing and no apt-get."""

import shutil
import subprocess
import sys

from app.config import ROOT


def test_every_program_the_tests_ask_for_is_installed_when_missing(tmp_path):
    for name in ("sh", "dirname", "find", "head"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [ROOT / "scripts" / "debian-packages", "test"],
        env={"PATH": str(tmp_path), "PYTHON": sys.executable},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    missing = done.stderr.split(":")[-1].split()
    # MariaDB and nginx are looked for in /usr/sbin too, and may be there.
    assert {"mariadb-client-core", "openssl", "curl", "chromium"} <= set(missing)
    assert {"redis-server", "valkey-server"} & set(missing)
