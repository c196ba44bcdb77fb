"""Uploads by page and script: the form is read once, each file directly into the storage folder."""
