"""flask create-user, set-password, unlock, list-users, setup-link."""

import pytest

from app.actor import ANONYMOUS
from app.auth import queries
from app.auth import services as auth
from app.auth.sign_in import credentials
from app.auth.sign_in import services as sign_in
from app.errors import Invalid
from tests.auth.helpers import is_signed_in
from tests.factories import OPERATOR, PASSWORD, add_person, run_command


def test_user_is_created_from_standard_input(app, flask):
    for role in ("viewer", "editor", "admin"):
        result = flask("create-user", role, "--role", role, typed=f"{PASSWORD}\n")
        assert result.exit_code == 0, result.output
        assert result.output == f"{role} can now sign in as {role}.\n"
    result = flask("create-user", "小梅", typed=" spaces at the ends \n")
    assert result.exit_code == 0
    with app.app_context():
        assert credentials.verify("admin", PASSWORD).role == "admin"
        person = credentials.verify("小梅", " spaces at the ends ")
        assert (person.role, person.must_change_password) == ("viewer", False)


@pytest.mark.parametrize(
    ("words", "typed", "message"),
    [
        (["Ada"], "short\n", "A password has 8 to 256 characters."),
        (["Ada"], "", "A password has 8 to 256 characters."),
        (["Ada Lovelace"], "ADA lovelace\n", "The password must not be the name."),
        (["TAKEN"], f"{PASSWORD}\n", "This name is taken."),
        (["x" * 65], f"{PASSWORD}\n", "A name has 1 to 64 characters."),
        (["Ada", "--role", "root"], f"{PASSWORD}\n", "is not one of 'viewer'"),
    ],
)
def test_refusal_is_one_message(words, typed, message, app, flask):
    with app.app_context():
        add_person("taken")
    result = flask("create-user", *words, typed=typed)
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert "Traceback" not in result.output
    with app.app_context():
        assert len(queries.list_people(OPERATOR)) == 1


def test_password_is_set_and_sessions_end(app, flask, as_role):
    browser = as_role("editor")
    result = flask("set-password", "Editor", typed="another password\n")
    text = "The password of editor was changed. Their sessions and tokens have ended.\n"
    assert result.output == text
    assert not is_signed_in(browser)
    assert browser.sign_in("editor", "another password").status_code == 303
    result = flask("set-password", "nobody", typed="another password\n")
    assert result.exit_code == 1
    assert "There is nobody named nobody." in result.output


def test_users_are_listed_with_role_and_state(app, flask):
    with app.app_context():
        add_person("admin", "admin")
        auth.set_active(OPERATOR, add_person("gone"), False)
        auth.invite_person(OPERATOR, "new", "editor")
    assert flask("list-users").output.splitlines() == [
        "1\tadmin\tadmin\tactive",
        "2\tgone\tviewer\tdisabled",
        "3\tnew\teditor\tinvited",
    ]


def test_set_up_link_works_until_a_person_exists(app, flask, browser):
    result = flask("setup-link")
    assert browser.get(result.output.strip()).status_code == 200
    with app.app_context():
        add_person("Ada")
    result = flask("setup-link")
    assert result.exit_code == 1
    assert "create-user NAME --role admin" in result.output


def test_without_the_database_a_command_ends_in_one_message(make_app):
    app = make_app(commands=True, DATABASE_URL="mysql://nobody:x@127.0.0.1:1/nothing")
    result = run_command(app, "list-users")
    assert result.exit_code == 1
    assert result.output.startswith("Error: The database does not answer: 2003 Can't connect")
    assert result.output.endswith(". See DATABASE_URL.\n")
    assert result.output.count("\n") == 1


def test_without_redis_a_password_is_changed_with_one_line_of_warning(make_app, caplog):
    app = make_app(commands=True, REDIS_URL="unix:///nowhere/redis.sock")
    with app.app_context():
        add_person("Ada")
        result = run_command(app, "set-password", "Ada", typed="another password\n")
        assert result.exit_code == 0
        assert credentials.verify("Ada", "another password")
    warnings = [record for record in caplog.records if record.name != "gazetteer.events"]
    assert [record.levelname for record in warnings] == ["ERROR"]
    assert "Redis does not answer" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_name_is_unlocked(app, flask):
    with app.app_context():
        add_person("Ada")
        for _attempt in range(5):
            with pytest.raises(Invalid):
                sign_in.sign_in(ANONYMOUS, "Ada", "wrong one", "192.0.2.1")
    result = flask("unlock", "ADA")
    assert (result.exit_code, result.output) == (0, "Ada can try to sign in again.\n")
    with app.app_context():
        assert sign_in.sign_in(ANONYMOUS, "Ada", PASSWORD, "192.0.2.1").name == "Ada"
    result = flask("unlock", "Grace")
    assert (result.exit_code, result.output) == (1, "Error: There is nobody named Grace.\n")


def test_without_redis_unlocking_fails_in_one_message(make_app):
    app = make_app(commands=True, REDIS_URL="unix:///nowhere/redis.sock")
    with app.app_context():
        add_person("Ada")
    result = run_command(app, "unlock", "Ada")
    assert result.exit_code == 1
    assert result.output.startswith("Error: Redis does not answer")
