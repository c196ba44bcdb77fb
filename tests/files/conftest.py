"""The people whose files the tests upload."""

import pytest

from tests.factories import add_person


@pytest.fixture
def people(any_app):
    """The ids of two editors."""
    with any_app.test_request_context():
        yield [add_person(name, "editor") for name in ("Ada", "林梅")]
