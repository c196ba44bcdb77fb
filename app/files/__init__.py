"""Shared files: uploading and downloading by page and script, the list, removing and restoring."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register pages, the upload request class, commands, the history's subject and the bar's
    entry."""
    from flask_babel import lazy_gettext as _l

    from app.files import commands, scripts_views, subjects, views
    from app.files.download import views as download_views
    from app.files.storage.content import icon_kind
    from app.files.upload import views as upload_views
    from app.files.upload.request import UploadRequest
    from app.history.subjects import register
    from app.web.navigation import Entry, add_to_bar

    app.request_class = UploadRequest
    blueprints = (views.bp, upload_views.bp, download_views.bp, scripts_views.bp)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.add_template_filter(icon_kind)
    for command in (commands.adopt_files, commands.purge_files):
        app.cli.add_command(command)
    register(app, subjects.FILE)
    names = tuple(blueprint.name for blueprint in blueprints)
    entry = Entry("files.list_files", _l("Files"), 20, lambda actor: actor.is_signed_in, names)
    add_to_bar(app, entry)
