"""Webhooks: other systems hear of what happened, by signed messages to addresses of their own."""
