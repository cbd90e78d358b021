"""Signing off who attended an event, and corrections by a second person."""
