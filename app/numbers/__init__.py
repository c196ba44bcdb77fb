"""π and Fibonacci from a cache that all processes share."""

from flask import Flask


def init_app(app: Flask) -> None:
    from flask_babel import lazy_gettext as _l

    from app.numbers import views
    from app.web.navigation import MenuItem, add_to_bar

    app.url_map.converters["any_text"] = views.AnyText
    app.register_blueprint(views.bp)
    entry = MenuItem(
        "numbers.show_numbers",
        _l("Numbers"),
        30,
        lambda actor: True,
        ("numbers",),
        words="π pi Fibonacci 圆周率 斐波那契",
    )
    add_to_bar(app, entry)
