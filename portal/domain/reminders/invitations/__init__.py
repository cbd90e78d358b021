"""Invitations to set a first password, by mail or on paper, and mails with a link to set a new one."""
