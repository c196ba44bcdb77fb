"""A proxy in front of a server that trusts none is reported in /readyz and once in the log."""

import pytest

from app.health import services, warnings

WARNING = "warning: has seen X-Forwarded-For from %s, but TRUSTED_PROXIES is 0"
FORWARDED = {"X-Forwarded-For": "203.0.113.7"}


def report_after(app, address="127.0.0.1", headers=FORWARDED):
    """What /readyz says of proxies after three requests of one kind."""
    for _request in range(3):
        app.test_client().get("/healthz", headers=headers, environ_base={"REMOTE_ADDR": address})
    response = app.test_client().get("/readyz")
    assert response.status_code == 200
    return response.json["checks"]["proxy"]


@pytest.mark.parametrize("address", ["127.0.0.1", "172.17.0.1", "::1"])
def test_a_proxy_that_is_not_trusted_is_reported(make_app, caplog, address):
    assert report_after(make_app(), address) == WARNING % address
    lines = [record.getMessage() for record in caplog.records if record.name == "gazetteer.proxy"]
    assert lines == ["a proxy sends X-Forwarded-For, but TRUSTED_PROXIES is 0: set it in .env"]


def test_the_report_expires_and_the_log_line_is_not_repeated(make_app, caplog, monkeypatch):
    app = make_app()
    with monkeypatch.context() as later:
        later.setattr(warnings, "SECONDS", 0)
        assert report_after(app) == "ok"
    with app.app_context():
        assert services.check_proxy().text == WARNING % "127.0.0.1"
    assert [record.name for record in caplog.records].count("gazetteer.proxy") == 1


def test_a_proxy_on_a_unix_socket_is_named_as_that(make_app):
    assert report_after(make_app(), "") == WARNING % "a unix socket"


@pytest.mark.parametrize(
    ("settings", "address", "headers"),
    [
        ({}, "127.0.0.1", {}),
        ({}, "8.8.8.8", FORWARDED),  # a client forges it
        ({"TRUSTED_PROXIES": "1", "TRUSTED_HOSTS": "localhost"}, "127.0.0.1", FORWARDED),
    ],
)
def test_other_requests_are_not(make_app, settings, address, headers):
    assert report_after(make_app(**settings), address, headers) == "ok"


def test_names_that_nobody_checks_are_reported(make_app):
    expected = "warning: TRUSTED_HOSTS is empty, so every host name is answered"
    assert report_after(make_app(TRUSTED_PROXIES="1")) == expected
