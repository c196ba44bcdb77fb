"""Shared files: uploading and downloading by page and script, the list, removing and restoring."""

from flask import Flask


def init_app(app: Flask) -> None:
    from flask_babel import lazy_gettext as _l

    from app.clock import registry
    from app.database import stored_keys
    from app.files import commands, folders, preview, search_keys, subjects, views
    from app.files.download import views as download_views
    from app.files.removed import views as removed_views
    from app.files.storage import purging
    from app.files.storage.content import icon_kind
    from app.files.upload import views as upload_views
    from app.files.zipping import views as zip_views
    from app.history.subjects import register
    from app.web.navigation import MenuItem, add_to_bar, add_to_search

    own = (views, removed_views, upload_views, download_views, zip_views)
    blueprints = tuple(each.bp for each in own)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.add_template_filter(icon_kind)
    folders.init_app(app)
    app.cli.add_command(commands.adopt_files)
    app.cli.add_command(commands.purge_files)
    add_schedules(app)
    registry.add(app, "left-over uploads deleted", 3600, purging.remove_all_leftovers)
    preview.init_app(app)
    stored_keys.register(app, search_keys.KEYS)
    register(app, subjects.FILE)
    names = ("folders", *(blueprint.name for blueprint in blueprints))
    words = "upload download folders 上传 下载 文件夹"
    add_to_bar(app, MenuItem("files.list_files", _l("Files"), 20, blueprints=names, words=words))
    for item in (
        MenuItem("files_removed.list_removed", _l("Removed files"), 20),
        MenuItem("files.scripts", _l("For scripts"), 20, words="curl upload 上传"),
    ):
        add_to_search(app, item)


def add_schedules(app: Flask) -> None:
    """Add the housekeeping."""
    from flask_babel import lazy_gettext as _l

    from app.files.download.counting import store_counts
    from app.files.storage import purging
    from app.schedules.shipped import add_housekeeping

    for name, label, seconds, work in (
        ("files.store_counts", _l("Count downloads"), 30, store_counts),
        ("files.delete_removed", _l("Delete removed files permanently"), 60, purging.purge_removed),
        ("files.delete_results", _l("Delete files that jobs made a week ago"), 300,
         purging.purge_results),
    ):  # fmt: skip
        add_housekeeping(app, name, label, seconds, work)
