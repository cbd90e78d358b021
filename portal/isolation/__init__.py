"""Reads untrusted content in a separate process with limits, which can be killed without harm."""
