"""How long to wait after failed sign-ins: pure arithmetic over instants.

Three rules slow a guesser. Each counts only failures of the account that is tried, so an account whose
password nobody guesses never waits, whatever else its address sends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

FIRST_WAIT = timedelta(minutes=1)
FAILURE_MEMORY = timedelta(hours=2)  # older failures of an account do not count


@dataclass(frozen=True, slots=True)
class ThrottleRule:
    """After how many failures one must wait, and how long."""

    allowed_failures: int  # failures within the window that begin the first wait, of a minute
    window: timedelta
    longest_wait: timedelta  # each further failure doubles the wait, up to this


# One account from one place: an address, or a browser that the account used before.
PLACE_RULE = ThrottleRule(5, timedelta(minutes=15), timedelta(minutes=15))
# The same, if NOISE_THRESHOLD sign-ins failed from the address within the hour.
NOISY_PLACE_RULE = ThrottleRule(1, timedelta(hours=1), timedelta(hours=1))
# One account from all addresses together; known browsers neither count nor wait.
ACCOUNT_RULE = ThrottleRule(20, timedelta(hours=1), timedelta(minutes=15))

NOISE_THRESHOLD = 100  # failures of any accounts from one address
NOISE_WINDOW = timedelta(hours=1)


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 a subscriber's whole network, since its hosts are free.

    >>> network_of("2001:db8:1:2::7"), network_of("192.0.2.7"), network_of("")
    ('2001:db8:1:2::/64', '192.0.2.7', '')
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Network((int(parsed), 64), strict=False))
    return address


def wait_after(failures: Sequence[datetime], rule: ThrottleRule, at: datetime) -> timedelta:
    """How long to wait at ``at`` after these failures, oldest first.

    ``rule.allowed_failures`` within the window begin a wait of a minute after the last; each further one
    doubles it. After twice the window without a failure the count begins again. Never longer than
    ``rule.longest_wait``, even if the machine's clock stepped back.
    """
    level, last = 0, None
    for index, failed_at in enumerate(failures):
        if last is not None and failed_at - last > 2 * rule.window:
            level = 0
        first = failures[index - rule.allowed_failures + 1] if index >= rule.allowed_failures - 1 else None
        if level or (first is not None and failed_at - first <= rule.window):
            level += 1
        last = failed_at
    if last is None or not level:
        return timedelta()
    doublings: int = 2 ** min(level - 1, 10)
    wait = min(rule.longest_wait, FIRST_WAIT * doublings)
    return min(rule.longest_wait, max(timedelta(), last + wait - at))
