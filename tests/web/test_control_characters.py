"""Addresses with characters that nothing of ours has: they are not those of something else."""

from tests.factories import HTML, Browser, add_person
from tests.files.folders.test_services import put

SUFFIXES = ("%00", "%01", "%0A", "%7F", "%C2%85", "%E2%80%AE", "%ED%A0%80")
ADDRESSES = (
    "/files/folders/names{}", "/files/folders/{}names", "/files/folders/names/inner{}",
    "/files/zip/names{}", "/files/new-folder?in=names{}", "/download/a.txt{}", "/download/names{}",
    "/files/1{}", "/files/1/details{}", "/folders/1{}", "/cities/1{}",
    "/people/1{}", "/static/x/icon.svg{}", "/files/move?folder=1{}", "/files/zip?folder=1{}",
)  # fmt: skip


def test_a_name_with_a_control_character_is_not_that_without(any_app):
    with any_app.test_request_context():
        put(add_person("Ada", "admin"), "names/inner/a.txt")
    browser, found = Browser(any_app), {}
    browser.begin_session("Ada")
    addresses = [each.format(suffix) for suffix in SUFFIXES for each in ADDRESSES]
    # For MariaDB texts are equal that differ in spaces at their ends.
    for address in [*addresses, "/files/folders/names%20", "/files/zip/names/inner%20"]:
        found[address] = browser.get(address, headers=HTML, buffered=True).status_code
    assert {address: status for address, status in found.items() if status != 404} == {}
