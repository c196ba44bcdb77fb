"""Passwords: which are refused, how they are hashed, and that a former hash is replaced."""

import subprocess
import sys
from contextlib import suppress

import pytest
from werkzeug.security import check_password_hash, generate_password_hash
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from app.actor import ANONYMOUS
from app.auth import common_passwords, passwords, queries
from app.auth import services as auth
from app.auth.common_passwords import read_common
from app.auth.models import PASSWORD_SHORTEST
from app.auth.passwords import FORMER_METHOD, check_password, hash_password, random_password
from app.auth.sign_in import services as sign_in
from app.config import PASSWORD_METHOD, ROOT
from app.database.engine import db
from app.errors import Invalid
from app.setup import services as setup
from tests.auth.helpers import is_signed_in
from tests.factories import OPERATOR, PASSWORD, Browser, add_person, at_once, entries
from tests.html import Page

NAME = "The password must not be the name."
SITE = "The password must not be the name of this site."
COMMON = "This is one of the most common passwords. Choose another one."


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("editor  ", NAME), ("  editor", NAME), ("EDITOR\t\t", NAME), ("ＥＤＩＴＯＲ　　", NAME),
        ("editor\u200b\u200b", NAME), ("e d i t o r", NAME), ("editoreditor", NAME),
        ("Editor editor", NAME), ("editor\u00a0\u2007\u3000", NAME), ("\ufeffeditor ", NAME),
        ("gazetteer", SITE), ("Gazetteer ", SITE), ("GAZETTEER GAZETTEER", SITE),
        ("ｇａｚｅｔｔｅｅｒ", SITE), ("\u202egazetteer", SITE),
        (" " * 8, COMMON), ("\u3000" * 8, COMMON), (" \u200b" * 8, COMMON),
        ("password", COMMON), ("12345678", COMMON), ("qwertyui", COMMON), ("1qaz2wsx", COMMON),
        ("PassWord", COMMON), (" password ", COMMON), ("ｐａｓｓｗｏｒｄ", COMMON),
        ("qwerty  ", COMMON),
        ("123456\t\t", COMMON), ("pass word", COMMON), ("iloveyou\u200b", COMMON),
        ("x" * 256, COMMON), ("Xx" * 20, COMMON), ("密" * 8, COMMON), ("😀" * 8, COMMON),
        ("editor12", NAME), ("2026Editor", NAME), ("ｅｄｉｔｏｒ１２", NAME),
        ("editor 1 editor", NAME),
        ("gazetteer1", SITE), ("Gazetteer 2026", SITE),
    ],
)  # fmt: skip
def test_common_passwords_names_and_spaces_are_refused_in_any_writing(password, message):
    with pytest.raises(Invalid) as refused:
        check_password(password, "editor")
    assert str(refused.value.fields["password"]) == message


@pytest.mark.parametrize(
    "password",
    [PASSWORD, "my editor", "a gazetteer", "密码很长很安全的", "🂡🂢🂣🂤🂥🂦🂧🂨", "editor-12", "40718263"],
)
def test_others_are_accepted(password):
    check_password(password, "editor")


def test_the_list_has_the_ten_thousand_commonest_and_those_that_are_long_enough():
    ranked = FREQUENCY_LISTS["passwords"]
    common = read_common()
    assert set(ranked[:10_000]) <= common
    assert sum(len(word) >= PASSWORD_SHORTEST for word in common) == 10_000
    for word in [each for each in ranked if len(each) >= PASSWORD_SHORTEST][:10_000:500]:
        with pytest.raises(Invalid):
            check_password(word, "editor")


def test_without_the_list_no_password_is_accepted(monkeypatch, tmp_path):
    monkeypatch.setattr(common_passwords, "FILE", tmp_path / "nothing.txt")
    read_common.cache_clear()
    with pytest.raises(RuntimeError, match="run `flask build-assets`"):
        check_password("correct horse battery", "editor")


def test_a_worker_does_not_import_the_package_of_the_list():
    code = "import sys, app.auth.passwords as p; p.check_password('x1y2z3w4v5', 'a')"
    code += "; sys.exit('zxcvbn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_common_passwords_are_refused_wherever_one_is_chosen(flask, as_role):
    editor = as_role("editor")
    fields = {"current": PASSWORD, "password": "qwertyui", "again": "qwertyui"}
    response = editor.submit("/account/password", fields)
    assert response.status_code == 422
    assert Page(response).text("#password-error") == f"Error: {COMMON}"
    result = flask("create-user", "Ada", typed="qwertyui\n")
    assert (result.exit_code, result.output) == (1, f"Error: {COMMON}\n")


def test_the_first_administrator_chooses_another_one_too(app):
    with app.app_context():
        link = setup.create_link_path().rpartition("/")[2]
        with pytest.raises(Invalid):
            setup.claim(ANONYMOUS, link, "192.0.2.1", "Ada", "qwertyui", False)


def test_whoever_has_a_common_password_can_still_sign_in(app):
    with app.app_context():
        add_person("editor")
        set_hash("editor", generate_password_hash("qwertyui", PASSWORD_METHOD))
        assert sign_in.sign_in(ANONYMOUS, "editor", "qwertyui", "192.0.2.1").name == "editor"


def test_first_passwords_are_accepted():
    for _password in range(20):
        check_password(random_password(), "a")


@pytest.fixture
def real_method(app):
    """The application with the parameters of real accounts."""
    app.config["PASSWORD_METHOD"] = PASSWORD_METHOD
    with app.app_context():
        yield
    app.config["PASSWORD_METHOD"] = "scrypt:256:8:1"


def test_real_passwords_are_hashed_as_owasp_recommends(real_method):
    """Each with a salt of its own; a name that nobody has costs the same as a wrong password."""
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first.startswith("scrypt:32768:8:3$")
    assert first != second
    assert check_password_hash(first, PASSWORD)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (PASSWORD_METHOD, ["scrypt:32768:8:3"]),
        (FORMER_METHOD, ["scrypt:32768:8:1", "scrypt:32768:8:2"]),  # 1 + 2 = 3
        (None, ["scrypt:32768:8:3"]),
    ],
    ids=["present", "former", "nobody"],
)
def test_every_sign_in_costs_the_same(real_method, monkeypatch, method, expected):
    """So that the time of a response does not show which names exist."""
    methods = []

    def check_hash(stored, password):
        methods.append(stored.split("$")[0])
        return check_password_hash(stored, password)

    monkeypatch.setattr(passwords, "check_password_hash", check_hash)
    stored = method and generate_password_hash(PASSWORD, method)
    assert passwords.verify_password(stored, "not the password") is False
    assert methods == expected


def hash_of(name):
    db.session.rollback()
    return queries.find_person(name).password_hash


def set_hash(name, stored):
    queries.find_person(name).password_hash = stored
    db.session.commit()


def test_a_former_hash_is_replaced_at_sign_in(any_app):
    """Without ending a session or an entry in the history."""
    add_person("editor")
    browser, other = Browser(any_app), Browser(any_app)
    other.sign_in("editor")
    former = generate_password_hash(PASSWORD, FORMER_METHOD)
    set_hash("editor", former)
    with suppress(Invalid):
        sign_in.sign_in(ANONYMOUS, "editor", "not the password", "192.0.2.1")
    assert hash_of("editor") == former
    browser.sign_in("editor")
    replaced = hash_of("editor")
    assert replaced.startswith(any_app.config["PASSWORD_METHOD"])
    assert check_password_hash(replaced, PASSWORD)
    assert is_signed_in(other)
    assert entries() == []
    Browser(any_app).sign_in("editor")
    assert hash_of("editor") == replaced


def test_sign_ins_that_all_replace_a_former_hash_succeed(any_app, monkeypatch):
    monkeypatch.setattr(passwords, "TURN_SECONDS", 60)  # a busy machine
    add_person("editor")
    former = generate_password_hash(PASSWORD, "scrypt:128:8:1")
    set_hash("editor", former)

    def sign_in_once(address):
        return sign_in.sign_in(ANONYMOUS, "editor", PASSWORD, address).name

    works = [lambda a=a: sign_in_once(f"192.0.2.{a}") for a in range(4)]
    assert at_once(any_app, *works) == ["editor"] * 4
    assert hash_of("editor") != former


def test_a_sign_in_does_not_replace_a_password_that_was_set_in_the_meantime(any_app):
    person_id = add_person("editor")
    former = generate_password_hash(PASSWORD, FORMER_METHOD)
    auth.set_password(OPERATOR, person_id, "another password")
    stored = hash_of("editor")
    sign_in.replace_hash(person_id, former, hash_password(PASSWORD))
    assert hash_of("editor") == stored


def facts(browser):
    return [Page(browser.get("/account")).text(f".facts div:nth-of-type({n}) dd") for n in (4, 5)]


def test_the_account_shows_the_previous_sign_in_and_what_failed_since(app):
    with app.app_context():
        add_person("editor")
    browser = Browser(app)
    browser.sign_in("editor")
    assert facts(browser) == ["never", "0"]
    stranger = Browser(app)
    for _attempt in range(2):
        stranger.submit("/login", {"name": "editor", "password": "not the password"})
    stranger.submit("/login", {"name": "nobody-here", "password": "not the password"})
    advice = "If these were not yours, choose a new password."
    assert facts(browser) == ["never", f"2 · {advice}"]
    again = Browser(app)
    again.sign_in("editor")
    previous, failed = facts(again)
    assert previous != "never"
    assert failed == f"2 · {advice}"
    stranger.submit("/login", {"name": "EDITOR", "password": "not the password"})
    assert facts(again) == [previous, f"3 · {advice}"]
    Browser(app).sign_in("editor")
    assert facts(again)[1] == f"1 · {advice}"


@pytest.mark.parametrize("stored", ["many", "-1", ""])
def test_a_count_that_is_not_one_counts_as_none(app, stored):
    with app.app_context():
        add_person("editor")
    app.extensions["redis"].set("gz:sign-in-failed:1", stored)
    browser = Browser(app)
    browser.sign_in("editor")
    assert facts(browser) == ["never", "0"]
