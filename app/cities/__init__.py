"""The register: cities with their province and number of users."""
