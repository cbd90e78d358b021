"""For authors of modules: the audit of item banks, the table of measures, and the legal review sheet."""
