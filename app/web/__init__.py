"""What pages share: hooks, error pages, URLs, forms, formatting, static files."""
