"""The models and the migrations describe the same tables."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from app.cities.models import NAMES_INDEX
from app.database.engine import db

FOR_THE_PREVIOUS_RELEASE = ("city_import_row",)
FOR_MARIADB = (NAMES_INDEX,)


def test_the_models_have_the_tables_of_the_migrations(any_app):
    def include(name, _kind, parents):
        return parents.get("table_name", name) not in FOR_THE_PREVIOUS_RELEASE

    is_mariadb = db.engine.dialect.name == "mysql"
    options = {
        "include_name": include,
        "include_object": lambda _item, name, *_more: is_mariadb or name not in FOR_MARIADB,
        # SQLite has no types of its own: what it reports is not what was declared.
        "compare_type": is_mariadb,
    }
    context = MigrationContext.configure(db.session.connection(), opts=options)
    assert compare_metadata(context, db.metadata) == []
