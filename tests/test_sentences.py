"""Sentences that are kept and translated when they are read."""

from flask_babel import force_locale

from app.text import N_, dump_messages, load_messages


def test_kept_sentences_are_said_in_the_reader_s_language(app):
    kept = dump_messages([N_("Line %(line)s", line=5), N_("No province")])
    with app.test_request_context():
        assert load_messages(kept) == "Line 5 No province"
        with force_locale("zh"):
            assert load_messages(kept) == "第 5 行 未填省份"


def test_nothing_and_what_earlier_releases_kept_are_read(app):
    with app.test_request_context():
        assert load_messages("") == ""
        assert load_messages("100 % of it.") == "100 % of it."
