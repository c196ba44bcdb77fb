"""The list of cities: its filters and order, its pages by key, and the HTML that readers share."""
