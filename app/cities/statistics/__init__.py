"""The register at a glance: totals, users by province, the largest cities."""
