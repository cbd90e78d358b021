"""Signing in with SAML 2.0: what the force's identity provider publishes and signs."""
