"""The limits of webhooks, and what they need of the settings of the portal."""

from datetime import timedelta
from ipaddress import ip_network

from config import current_settings
from portal.platform.outbound.proxy import parse_proxy
from portal.platform.outbound.targets import OutboundPolicy

MOST_WEBHOOKS = 20  # each may have a thread of its own
OLD_SECRET = timedelta(hours=24)  # how long a replaced secret signs too
TRIED_FOR = timedelta(days=3)  # how long a message is tried
# After each failed try, until the three days of a message are over.
DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 72000)
)
JITTER = 0.1  # each delay is longer or shorter by up to this part, so that receivers are not met all at once
PATIENCE = 3  # failures in a row, whatever the messages, after which a webhook rests
RESTS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30))
LONGEST_REST = timedelta(hours=1)  # for which a receiver may ask at a time, by Retry-After
LOST_AFTER = timedelta(seconds=60)  # a worker that claimed a message so long ago was killed
DEMO_NETWORKS = (ip_network("127.0.0.0/8"), ip_network("::1/128"))  # a receiver on the same machine


def outbound_policy() -> OutboundPolicy:
    """Where messages may go: public addresses, through ``OUTBOUND_PROXY``, and ``WEBHOOK_NETWORKS``."""
    settings = current_settings()
    networks = settings.allowed_networks or (DEMO_NETWORKS if settings.mode == "demo" else ())
    return OutboundPolicy(networks, proxy=parse_proxy(settings.outbound_proxy))


def encryption_key() -> str:
    """The key under which secrets are stored, or rather what it is derived from."""
    return current_settings().secret_key
