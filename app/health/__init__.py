"""Whether the application is alive and ready."""
