"""What does jobs: the broker, the clock's part, and the program `worker`."""
