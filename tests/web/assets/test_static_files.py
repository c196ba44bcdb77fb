"""Static files: their cache headers, and the copies of each release."""

import gzip
import os

from app.config import ROOT
from app.web.assets import static_files

IMMUTABLE = "public, max-age=31536000, immutable"


def instance_of(app):
    """The instance folder of the application, created as `flask prepare` does."""
    folder = app.config["SETTINGS"].instance
    folder.mkdir(exist_ok=True)
    return folder


def test_static_files_are_immutable_under_the_hash_of_their_content(app):
    static_files.copy_build(instance_of(app))
    for build, cache in ((static_files.content_hash(), IMMUTABLE), ("0123456789ab", "no-cache")):
        with app.test_client().get(f"/static/{build}/gazetteer.css") as response:
            assert response.headers["Cache-Control"] == cache
            assert "Set-Cookie" not in response.headers
            assert response.data == (ROOT / "static" / "gazetteer.css").read_bytes()
    for path in ("../app/config.py", "%2e%2e/pyproject.toml", "js", "", "js/../../.env.example"):
        for build in (static_files.content_hash(), "0123456789ab", "..", "%2e%2e"):
            with app.test_client().get(f"/static/{build}/{path}") as response:
                assert response.status_code == 404


def test_checking_out_a_release_does_not_change_static_files_of_the_running_one(
    app, tmp_path, monkeypatch
):
    monkeypatch.setattr(static_files, "STATIC", tmp_path / "static")
    (tmp_path / "static").mkdir()
    file, found = tmp_path / "static" / "page.js", {}
    for release in range(static_files.BUILDS_MAX + 1):
        file.write_text(f"release {release}")
        found[release] = static_files.hash_of(tmp_path / "static")
        static_files.copy_build(instance_of(app))
        os.utime(instance_of(app) / "static" / found[release], (release, release))
    file.write_text("checked out, and not yet prepared")
    for release, build in found.items():
        with app.test_client().get(f"/static/{build}/page.js") as response:
            cache = response.headers["Cache-Control"]
            if release == 0:  # its copy was removed
                assert (response.text, cache) == (file.read_text(), "no-cache")
            else:
                assert (response.text, cache) == (f"release {release}", IMMUTABLE)
    static_files.copy_build(instance_of(app))
    static_files.copy_build(instance_of(app))  # may be repeated
    assert len(list((instance_of(app) / "static").iterdir())) == static_files.BUILDS_MAX


def test_text_is_sent_compressed_to_clients_that_accept_it(app):
    static_files.copy_build(instance_of(app))
    source = (ROOT / "static" / "gazetteer.css").read_bytes()
    url, client = static_files.url("gazetteer.css"), app.test_client()
    etags = set()
    accepts = {"gzip, br": "gzip", "*": "gzip", "br": None, "gzip;q=0": None}
    for accepted, encoding in accepts.items():
        with client.get(url, headers={"Accept-Encoding": accepted}) as response:
            assert response.headers.get("Content-Encoding") == encoding
            assert response.mimetype == "text/css"
            assert response.headers["Vary"] == "Accept-Encoding"
            assert response.headers["Cache-Control"] == IMMUTABLE
            assert (gzip.decompress(response.data) if encoding else response.data) == source
            etags.add((response.headers["ETag"], encoding))
    assert len(etags) == 2  # one for each form
    with client.get(static_files.url("mark.svg"), headers={"Accept-Encoding": "gzip"}) as response:
        assert "Content-Encoding" not in response.headers  # too small
