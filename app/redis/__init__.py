"""Redis: client with circuit breaker, versioned cache, rate limits."""
