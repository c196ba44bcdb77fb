"""Previews: what of a file is shown in its page. Nothing in a file ever runs: pictures are made
again in a child process, text is escaped, everything else is sent in a sandbox."""

from functools import partial

from flask import Flask


def init_app(app: Flask) -> None:
    from app.clock import registry
    from app.files.preview import views
    from app.files.preview.kinds import has_thumbnail
    from app.files.preview.results import version
    from app.files.preview.strays import remove_strays

    app.register_blueprint(views.bp)
    app.add_template_test(has_thumbnail, "thumbnailed")
    # The version is read now, before another release can replace the files.
    stray = partial(remove_strays, app.config["SETTINGS"].files_dir, version())
    registry.add(app, "previews without a file and outdated ones deleted", 3600, stray)
