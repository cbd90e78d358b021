"""Mails about files of the watched folder that were not imported: one for a night, without values of the files."""
