"""`make demo`: an installation in a temporary folder, with a week in the life of three people."""
