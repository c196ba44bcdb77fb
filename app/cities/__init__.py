"""The register: cities with their province and number of users."""

from operator import attrgetter

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages, the original's addresses, housekeeping, the entries of the bar, and what
    the history can be about."""
    from app.cities import legacy_urls, search_keys, subjects, views
    from app.cities.details.crumbs import city_crumbs
    from app.cities.exporting import views as exporting_views
    from app.cities.exporting.tasks import EXPORT
    from app.cities.importing import applying, staging, storage
    from app.cities.importing import views as importing_views
    from app.cities.listing.list_page import source_hash
    from app.cities.listing.row_format import city_name
    from app.cities.removed import views as removed_views
    from app.cities.rules import shown_name
    from app.cities.statistics import views as statistics_views
    from app.database import stored_keys
    from app.files.storage.purging import add_store
    from app.history.subjects import register
    from app.jobs import kinds

    if app.config["WEB"]:
        source_hash()  # of the code that runs: at the first list the next release may be there
    pages = (views, removed_views, exporting_views, importing_views, statistics_views)
    for module in (*pages, legacy_urls):
        app.register_blueprint(module.bp)
    app.add_template_filter(city_name)
    app.add_template_filter(shown_name)
    app.add_template_global(city_crumbs)
    applying.init_app(app)
    add_store(app, storage.FOLDER, storage.has_import)
    stored_keys.register(app, search_keys.KEYS)
    stored_keys.register(app, search_keys.REMOVED_KEYS)
    kinds.add(app, EXPORT)
    register(app, subjects.CITY)
    register(app, subjects.IMPORT)
    kinds.add(app, staging.KIND)
    add_schedules(app)
    add_entries(app)


def add_schedules(app: Flask) -> None:
    """Add the housekeeping, and an export every night, which an administrator may resume."""
    from flask_babel import lazy_gettext as _l

    from app.cities import search_keys
    from app.cities.importing import cleaning, incoming
    from app.cities.removed import services as removed
    from app.schedules import shipped
    from app.schedules.shipped import Shipped, add_housekeeping

    for name, label, seconds, work in (
        ("cities.fill_keys", _l("Make new cities of other programs searchable"), 5,
         search_keys.fill_keys),
        ("cities.delete_removed", _l("Delete removed cities permanently"), 60,
         removed.delete_old_removed),
        ("cities.delete_imports", _l("Delete imports that nobody confirmed"), 300,
         cleaning.delete_ended),
    ):  # fmt: skip
        add_housekeeping(app, name, label, seconds, work)
    if app.config["SETTINGS"].import_dir:
        label = _l("Import files from the folder")
        add_housekeeping(app, "cities.import_folder", label, 30, incoming.import_folder)
    label = _l("Nightly export of cities")
    shipped.add(app, Shipped("nightly-export", label, "cities.export", "0 4 * * *", paused=True))


def add_entries(app: Flask) -> None:
    """Add the entries of the bar, and of pages that only the search names."""
    from flask_babel import lazy_gettext as _l

    from app.cities.queries import may_read_cities
    from app.web.navigation import MenuItem, add_to_bar, add_to_search

    own, words = ("cities", "cities_removed", "importing", "imports"), "export 导出"
    add_to_bar(
        app, MenuItem("cities.list_cities", _l("Cities"), 10, may_read_cities, own, words=words)
    )
    glance = MenuItem("cities_statistics.glance", _l("At a glance"), 40, may_read_cities)
    add_to_bar(app, glance)
    may_write = attrgetter("may_write")
    for item in (
        MenuItem("cities.create_city", _l("Add city"), 10, may_write, words="new 新增 新建"),
        MenuItem("importing.import_cities", _l("Import cities"), 10, may_write, words="CSV Excel"),
        MenuItem("imports.list_imports", _l("Imports"), 10, may_write, words="CSV Excel undo 撤销"),
        MenuItem("cities_removed.list_removed", _l("Removed cities"), 10, may_write),
    ):
        add_to_search(app, item)
