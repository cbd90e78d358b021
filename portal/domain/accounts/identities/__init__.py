"""Identities at the force's provider: whom they sign in, and what ends their sessions."""
