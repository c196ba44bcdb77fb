"""Folders of files: their rows, their pages, creating, moving and removing them."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.database import stored_keys
    from app.files.folders import rows, subjects, views
    from app.files.folders.addresses import folder_crumbs
    from app.files.folders.paths import parent_of
    from app.files.search_keys import FOLDER_KEYS
    from app.history.subjects import register

    app.register_blueprint(views.bp)
    app.add_template_global(folder_crumbs)
    app.add_template_global(parent_of)
    stored_keys.register(app, FOLDER_KEYS)
    stored_keys.register(app, rows.FolderRows())
    register(app, subjects.FOLDER)
