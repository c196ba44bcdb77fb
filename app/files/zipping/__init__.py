"""Files and folders as one zip file, which is written while it is sent."""
