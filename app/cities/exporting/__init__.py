"""The register as a CSV file for spreadsheets and for an import."""
