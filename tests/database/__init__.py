"""The database: failures, locks, concurrency, migrations."""
