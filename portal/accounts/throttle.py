"""How long a browser waits after refused sign-ins: pure arithmetic over instants."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

WINDOW = timedelta(minutes=15)
FREE = 5  # failures of one account from one address in the window before the first wait
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
MEMORY = timedelta(hours=2)  # how far back failures of one account are looked at
ADDRESS_WINDOW = timedelta(hours=1)
ADDRESS_MOST = 100  # failures of all accounts from one address in the hour


def place(address: str) -> str:
    """What counts as one address: of IPv6 the network that one subscriber has, for its hosts cost nothing.

    >>> place("2001:db8:1:2::7"), place("192.0.2.7"), place("")
    ('2001:db8:1:2::/64', '192.0.2.7', '')
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Network((int(parsed), 64), strict=False))
    return address


def account_wait(failures: Sequence[datetime], at: datetime) -> timedelta:
    """How long one account must wait at one address after these failures, oldest first.

    The fifth failure within 15 minutes begins a wait of a minute; each further one doubles it, to at most
    15 minutes. Half an hour without a failure forgets it all.
    """
    level, last = 0, None
    for index, failed_at in enumerate(failures):
        if last is not None and failed_at - last > 2 * WINDOW:
            level = 0
        fifth_last = failures[index - FREE + 1] if index >= FREE - 1 else None
        if level or (fifth_last is not None and failed_at - fifth_last <= WINDOW):
            level += 1
        last = failed_at
    if last is None or not level:
        return timedelta()
    doublings: int = 2 ** min(level - 1, 10)
    wait = min(LONGEST_WAIT, FIRST_WAIT * doublings)
    return max(timedelta(), last + wait - at)


def address_wait(hundredth_last: datetime | None, at: datetime) -> timedelta:
    """How long an address must wait, given the hundredth failure from the end, if there are so many."""
    if hundredth_last is None:
        return timedelta()
    return max(timedelta(), hundredth_last + ADDRESS_WINDOW - at)
