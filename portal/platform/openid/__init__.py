"""Signing in with OpenID Connect: what an identity provider publishes and signs."""
