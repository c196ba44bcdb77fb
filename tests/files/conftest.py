"""Who the tests of shared files upload as."""

import pytest

from tests.factories import add_person


@pytest.fixture
def people(any_app):
    """Two who may write."""
    with any_app.test_request_context():
        yield [add_person(name, "editor") for name in ("Ada", "林梅")]
