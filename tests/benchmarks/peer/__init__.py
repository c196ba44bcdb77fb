"""A plain Flask application with which `make bench` compares ours: a register of cities and shared
files, written with the usual extensions in the usual way, and nothing else."""
