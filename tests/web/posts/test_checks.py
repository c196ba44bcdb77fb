"""Other bodies than forms are refused with 415 and a message."""

import pytest
from sqlalchemy import select

from app.cities.models import City
from app.database.engine import db
from tests.factories import HTML
from tests.web.test_security_matrix import JSON, TABLE, Walker, asks_sign_in, example, filled

__all__ = ["filled"]

POSTS = sorted(address for address, method in TABLE if method == "POST")
FORMS = [address for address in POSTS if address != "/upload"]
# Permission depends on the owner of the file, which is checked after the content type.
BY_ROW = {
    "/files/move", "/files/remove",
    *(f"/files/<file_id>/{verb}" for verb in ("current", "remove", "restore")),
    "/files/batches/<batch_id>/restore", "/history/<entry_id>/undo",
}  # fmt: skip
OTHER_BODIES = [
    {"json": {"name": "admin", "key": "k", "value": "v"}},
    {"json": ["no", "fields"]},
    {"data": b"{", "content_type": "application/json"},
    {"data": b"", "content_type": "application/json"},
    {"data": b"[]", "content_type": "application/problem+json"},
    {"data": b"key=k", "content_type": "text/plain"},
    {"data": b"key=k"},
]


@pytest.mark.parametrize("role", ["anonymous", "viewer", "admin", "token"])
def test_permissions_are_checked_before_the_content_type(filled, role):
    walker = Walker(filled, role)
    wrong, refused = [], 0
    for address in FORMS:
        word = TABLE[address, "POST"][role]
        for body in OTHER_BODIES:
            response = walker.browser.client.post(example(address), headers=walker.headers, **body)
            if word.startswith("sign-in"):
                fits = asks_sign_in(response)
            elif word == "403" and address not in BY_ROW:
                fits = response.status_code == 403
            else:
                fits = response.status_code == 415
                refused += 1
            if not fits:
                wrong.append(f"{address} {body}: {response.status_code}, in the table {word}")
    assert not wrong, "\n".join(wrong)
    assert refused


def test_the_error_names_the_accepted_content_types(filled):
    admin = Walker(filled, "admin").browser
    for headers, chinese in ((HTML, False), (JSON, False), ({**JSON, "Accept-Language": "zh"}, 1)):
        response = admin.client.post("/cities/new", json={"city": "x"}, headers=headers)
        assert response.status_code == 415
        types = "application/x-www-form-urlencoded", "multipart/form-data"
        assert response.headers["Accept-Post"] == ", ".join(types)
        message = response.text if headers is HTML else response.json["error"]
        assert all(kind in message for kind in types)
        assert ("此地址只接受表单" if chinese else "This address takes forms only") in message
    with filled.app_context():
        assert db.session.scalar(select(City.id).where(City.cityname == "x")) is None


def test_scripts_that_are_not_signed_in_get_401_first(filled):
    client = filled.test_client()
    assert client.post("/cities/new", json={}, headers=JSON).status_code == 401
    wrong = {**JSON, "Authorization": "Bearer gz_wrong"}
    assert client.post("/cities/new", json={}, headers=wrong).status_code == 401


@pytest.mark.parametrize("role", ["anonymous", "admin"])
def test_addresses_without_post_ignore_the_content_type(filled, role):
    client = Walker(filled, role).browser.client
    assert client.post("/nothing-here", json={}).status_code == 404
    assert client.post("/healthz", json={}).status_code == 405
    assert client.put("/cities/new", json={}).status_code == 405


def test_an_upload_without_a_form_gets_the_original_lines(filled):
    headers = {"Authorization": f"Bearer {filled.token}", "Accept": "*/*"}
    for body in OTHER_BODIES:
        response = filled.test_client().post("/upload", headers=headers, **body)
        assert (response.status_code, response.text) == (422, "No file part\n")
        anonymous = filled.test_client().post("/upload", headers={"Accept": "*/*"}, **body)
        assert (anonymous.status_code, anonymous.text.count("\n")) == (401, 1)


def test_an_upload_from_a_page_has_to_be_a_form(filled):
    client = Walker(filled, "admin").browser.client
    for body in OTHER_BODIES:
        assert client.post("/upload", headers=HTML, **body).status_code == 415


def test_a_button_needs_no_body(filled):
    headers = {"Authorization": f"Bearer {filled.token}"}
    response = filled.test_client().post("/cities/1/delete", headers=headers)
    assert response.status_code == 303
    with filled.app_context():
        assert db.session.get(City, 1) is None
