"""Shared files: brought up by page or script, listed, fetched, removed and brought back."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages, the request that takes uploads, commands and the entry of the bar."""
    from flask_babel import lazy_gettext as _l

    from app.files import commands, content, scripts_views, transfer_views, upload_request, views
    from app.web.navigation import Entry, add_to_bar

    app.request_class = upload_request.UploadRequest
    blueprints = (views.bp, transfer_views.bp, scripts_views.bp)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.add_template_filter(content.icon_kind)
    for command in (commands.adopt_files, commands.purge_files):
        app.cli.add_command(command)
    names = tuple(blueprint.name for blueprint in blueprints)
    entry = Entry("files.list_files", _l("Files"), 20, lambda actor: actor.is_signed_in, names)
    add_to_bar(app, entry)
