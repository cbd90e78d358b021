"""The settings that webhooks need, from those of the portal."""

from ipaddress import ip_network

from config import current_settings
from portal.platform.outbound.targets import OutboundPolicy

DEMO_NETWORKS = (ip_network("127.0.0.0/8"), ip_network("::1/128"))  # a receiver on the same machine


def outbound_policy() -> OutboundPolicy:
    """Where messages may go: public addresses, and the networks of ``WEBHOOK_NETWORKS``."""
    settings = current_settings()
    return OutboundPolicy(settings.allowed_networks or (DEMO_NETWORKS if settings.mode == "demo" else ()))


def encryption_key() -> str:
    """The key under which secrets are stored, or rather what it is derived from."""
    return current_settings().secret_key


def make_secret_hint() -> str:
    """What to do where secrets can no longer be read."""
    return (
        "The secret cannot be read: SECRET_KEY was changed since it was made. "
        "Replace the secret, and enter the new one at the receiver."
    )
