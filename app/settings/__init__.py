"""Parts of app/config.py: where settings come from, and how each kind is parsed."""
