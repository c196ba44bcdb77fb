"""What runs around every request."""

from flask import signals

from app.web import hooks
from tests.factories import note_calls

# Each costs every request some time. Flask-SQLAlchemy's removes what close_session() has closed; a
# library that was added shows here with hooks of its own.
BEFORE = [
    "start_request",
    "start_identification",
    "check_form",
    "note_proxy",
    "refuse_while_restoring",
]
AFTER = ["set_headers"]
AT_THE_END = ["SQLAlchemy._teardown_session", "close_session"]


def names(functions):
    return [each.__qualname__ for each in functions]


def test_no_library_adds_hooks(app):
    every = None  # the key of those for all blueprints
    assert names(app.before_request_funcs[every]) == BEFORE
    assert names(app.after_request_funcs[every]) == AFTER
    assert names(app.teardown_request_funcs[every]) == ["end_hold", "close_files"]
    assert names(app.teardown_appcontext_funcs) == AT_THE_END
    assert not app.url_value_preprocessors[every]
    assert not app.url_default_functions[every]


def test_no_signal_has_a_receiver(app):
    found = {name: getattr(signals, name) for name in dir(signals)}
    assert not [name for name, each in found.items() if getattr(each, "receivers", None)]


def test_each_request_lets_others_run_first(app, monkeypatch):
    calls = note_calls(monkeypatch, hooks, "yield_to_hub")
    for _time in range(2):
        app.test_client().get("/healthz")
    assert calls == [(0,)] * 2
