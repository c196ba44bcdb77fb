"""Who someone is: sign-in, sessions, people and their roles, tokens for scripts."""
