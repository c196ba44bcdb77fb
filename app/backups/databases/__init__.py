"""What a backup has of the database: SQLite's file, or the SQL that mariadb-dump writes."""
