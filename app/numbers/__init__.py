"""π and Fibonacci from a cache that all processes share."""
