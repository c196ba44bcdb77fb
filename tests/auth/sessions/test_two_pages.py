"""Two requests of one person at the same moment."""

import threading

from tests.factories import HTML, Browser, add_person, csrf_token


def test_forms_of_two_pages_opened_at_once_are_both_accepted(make_app):
    app = make_app(own=True)
    both_loaded, responses = threading.Barrier(2), []

    @app.before_request
    def wait_for_the_other():
        """Runs when the session has been read."""
        if threading.current_thread() is not threading.main_thread():
            both_loaded.wait(10)

    with app.app_context():
        add_person("viewer", "viewer")
    tabs = [Browser(app), Browser(app)]
    tabs[0].sign_in("viewer")
    tabs[1].client.set_cookie("gz", tabs[0].client.get_cookie("gz").value)
    threads = [
        threading.Thread(target=lambda tab=tab: responses.append(tab.get("/account")))
        for tab in tabs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [response.status_code for response in responses] == [200, 200]
    sent = [
        tabs[0].client.post(
            "/preferences", data={"csrf_token": csrf_token(response.text)}, headers=HTML
        )
        for response in responses
    ]
    assert [response.status_code for response in sent] == [303, 303]
