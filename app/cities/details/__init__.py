"""The page of a city: its place among the others, its history, and what two people save at once."""
