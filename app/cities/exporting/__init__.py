"""The register as a file: CSV in several encodings, or an Excel file."""
