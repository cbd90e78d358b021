"""Syndicates of an event: a balanced suggestion, moving people, door sheets and name cards."""
