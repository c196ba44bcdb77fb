"""What is checked on MariaDB before the first migration, so that none stops in the middle."""

from sqlalchemy import Connection, text

DYNAMIC = "ALTER TABLE city ENGINE=InnoDB ROW_FORMAT=DYNAMIC KEY_BLOCK_SIZE=0"
# Engines that store their rows in this server, from which a table can be converted.
CONVERTIBLE = ("InnoDB", "MyISAM", "Aria", "MEMORY", "TokuDB", "ROCKSDB")
# A right that migrations need is tried on a table of ours.
RIGHTS = (
    "CREATE TABLE IF NOT EXISTS gazetteer_rights (id INT PRIMARY KEY) ENGINE=InnoDB",
    "DROP TABLE gazetteer_rights",
    "CREATE TABLE gazetteer_rights (id INT PRIMARY KEY) ENGINE=InnoDB",
    "INSERT INTO gazetteer_rights VALUES (1)",
    "UPDATE gazetteer_rights SET id = 2",
    "SELECT id FROM gazetteer_rights FOR UPDATE",
    "DELETE FROM gazetteer_rights",
    "ALTER TABLE gazetteer_rights ADD COLUMN other INT",
    "CREATE INDEX ix_gazetteer_rights_other ON gazetteer_rights (other)",
    "ALTER TABLE gazetteer_rights ADD CONSTRAINT fk_gazetteer_rights FOREIGN KEY (other)"
    " REFERENCES gazetteer_rights (id)",
)


class SchemaError(Exception):
    """The database cannot be used; the message says why, without the password."""


def check(connection: Connection) -> None:
    """Raise an error with the statement to type, or convert the original program's table where
    that loses nothing. Nothing else has been changed by then."""
    if connection.dialect.name != "mysql":
        return
    try_rights(connection)
    check_row_format(connection)
    convert_original(connection)


def try_rights(connection: Connection) -> None:
    """Use each right that migrations and pages need; a missing one is the server's own error."""
    try:
        for statement in RIGHTS:
            connection.execute(text(statement))
    finally:
        connection.execute(text("DROP TABLE IF EXISTS gazetteer_rights"))


def check_row_format(connection: Connection) -> None:
    """Our indexes are longer than older row formats allow."""
    variable = text("SHOW GLOBAL VARIABLES LIKE 'innodb_default_row_format'")
    found = connection.execute(variable).one_or_none()
    if found is not None and found[1].lower() != "dynamic":
        raise SchemaError(
            f"New tables of this server have the row format {found[1]}, which is too small for our "
            "indexes. Type: SET GLOBAL innodb_default_row_format=DYNAMIC"
        )


def convert_original(connection: Connection) -> None:
    """Give the table `city` of the original program the engine and row format that our columns and
    indexes need."""
    query = text(
        "SELECT table_type, engine, row_format FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_name = 'city'"
    )
    found = connection.execute(query).one_or_none()
    if found is None:
        return
    kind, engine, row_format = found
    if kind != "BASE TABLE":
        raise SchemaError(
            f"city is not a table but a {kind.lower()}. Make it a table: CREATE TABLE cities LIKE "
            "the table behind it, copy the rows, and rename it to city."
        )
    if engine not in CONVERTIBLE:
        raise SchemaError(
            f"The table city has the engine {engine}. Convert it, then run `flask prepare` again: "
            f"{DYNAMIC}"
        )
    if engine != "InnoDB" or row_format != "Dynamic":
        connection.execute(text(DYNAMIC))
