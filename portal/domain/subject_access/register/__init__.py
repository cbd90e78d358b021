"""The register of personal data: every table and column, each marked once."""
