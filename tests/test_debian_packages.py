"""scripts/debian-packages on a machine with hardly any programs and without apt-get."""

import shutil
import subprocess
import sys

from app.config import ROOT


def test_missing_programs_of_the_tests_are_installed(tmp_path):
    for name in ("sh", "dirname", "find", "head"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [ROOT / "scripts" / "debian-packages", "test"],
        env={"PATH": str(tmp_path), "PYTHON": sys.executable},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    missing = done.stderr.split(":")[-1].split()
    # MariaDB and nginx may be installed: the script also looks in /usr/sbin.
    assert {"mariadb-client-core", "openssl", "curl", "chromium"} <= set(missing)
    assert {"redis-server", "valkey-server"} & set(missing)
