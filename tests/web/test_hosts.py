"""The site answers under its own names only."""

import socket

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.config import SettingError, Settings
from app.web.hooks import SECURITY_HEADERS
from tests.factories import HTML
from tests.html import Page

LAN = {"HOST": "intranet", "TRUSTED_HOSTS": "gaz.test, .example.org"}


def ask(app, host, **headers):
    """The status, headers and body of the sign-in page under a host."""
    environ = EnvironBuilder("/login", headers={**HTML, **headers}).get_environ()
    environ.update({"HTTP_HOST": host} if host is not None else {})
    body, status, found = run_wsgi_app(app, environ)
    return int(status.split()[0]), found, b"".join(body).decode()


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:8000", "LOCALHOST", "localhost.", "gaz.localhost:8000",
        "127.0.0.1:8000", "192.168.1.7", "[::1]", "[fe80::1]:8000", None, "", "intranet:8000",
        "gaz.test", "Gaz.Test:8443", "a.example.org", "a.b.example.org", socket.gethostname(),
        socket.gethostname() + ".local:8000",
    ],
)  # fmt: skip
def test_own_names_and_addresses_are_answered(host, make_app):
    assert ask(make_app(**LAN), host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.com", "evil.com:8000", "localhost.evil.com", "evil.com:80@localhost", "xlocalhost",
        "gaz.test.evil.com", "a.gaz.test", "example.org", "badexample.org", "127.0.0.1.evil.com",
        "a..b", "x" * 64 + ".example", "[", "[::1", "::1", "xn--", "a/b", "%00", ".", " ", "\xff",
    ],
)  # fmt: skip
def test_other_names_are_refused_with_all_headers_and_a_log_line(host, make_app, caplog):
    caplog.set_level("INFO")
    status, headers, body = ask(make_app(**LAN), host)
    assert status == 400
    assert set(SECURITY_HEADERS) <= set(headers.keys())
    text = Page(body).texts(".error-page p")[0]
    assert text.startswith("This site does not answer under this name. ")
    assert "TRUSTED_HOSTS" in text
    lines = [record.fields for record in caplog.records if record.name == "gazetteer.request"]
    assert [(line["status"], line["path"]) for line in lines] == [(400, "/login")]
    refused = [record.fields for record in caplog.records if record.name == "gazetteer.hosts"]
    assert [line["host"] for line in refused] == [host]
    assert refused[0]["request_id"] == lines[0]["request_id"]


def test_the_page_does_not_repeat_the_name(make_app):
    assert "evil" not in ask(make_app(**LAN), "evil.com")[2]


def test_behind_a_proxy_its_own_list_counts_unless_one_is_set(make_app):
    for host in ("gaz.test", "evil.com", "a..b"):
        assert ask(make_app(TRUSTED_PROXIES="1"), host)[0] == 200
    app = make_app(TRUSTED_PROXIES="1", TRUSTED_HOSTS="gaz.test")
    assert ask(app, "gaz.test")[0] == 200
    assert ask(app, "evil.com")[0] == 400
    assert ask(app, "127.0.0.1:8000", **{"X-Forwarded-Host": "gaz.test"})[0] == 200
    assert ask(app, "127.0.0.1:8000", **{"X-Forwarded-Host": "evil.com"})[0] == 400


@pytest.mark.parametrize("text", ["http://gaz.test", "gaz.test:80", "*", "a b", "..x", "gaz.test/"])
def test_a_list_of_hosts_has_names_only(text, site_environment):
    with pytest.raises(SettingError, match="TRUSTED_HOSTS"):
        Settings.load({**site_environment, "TRUSTED_HOSTS": text})
