"""The database: engine, column types, transactions, idempotency, paging, schema."""
