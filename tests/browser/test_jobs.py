"""The page of a job follows it without being loaded again, and asks no more when it has ended."""

from playwright.sync_api import Request, expect

from tests.browser.conftest import OpenAs, wait_until
from tests.site import Site


def test_the_page_of_a_job_follows_it(site: Site, open_as: OpenAs) -> None:
    path = site.send("viewer", "/jobs/new/sum", {"a": 5, "b": 6}).url.removeprefix(site.base)
    page = open_as("viewer").new_page()
    page.clock.install()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(path)
    asked.clear()
    wait_until(lambda: asked, lambda: page.clock.run_for(1000))
    expect(page.locator("#job")).to_contain_text("Waiting")
    site.send("admin", f"{path}/cancel", page=path)
    state = page.locator("#job dd").first
    wait_until(lambda: "Cancelled" in state.inner_text(), lambda: page.clock.run_for(1000))
    asked.clear()
    page.clock.run_for(20_000)
    assert not asked


def test_without_a_script_a_link_shows_how_far_it_is(site: Site, open_as: OpenAs) -> None:
    path = site.send("viewer", "/jobs/new/sum", {"a": 7, "b": 8}).url.removeprefix(site.base)
    page = open_as("viewer", java_script_enabled=False).new_page()
    page.goto(path)
    site.send("admin", f"{path}/cancel", page=path)
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator("#job")).to_contain_text("Cancelled")
