"""Names that the force gives to its networks, so that pages say a place beside an address."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

ELSEWHERE = "elsewhere"  # in an address: in none of the named networks
LONGEST_NAME = 60  # characters
Address = IPv4Address | IPv6Address


class NetworkNameError(ValueError):
    """A text names no network."""


@dataclass(frozen=True, slots=True)
class NamedNetwork:
    """A network and what the force calls it."""

    network: IPv4Network | IPv6Network
    name: str


@lru_cache(maxsize=8)
def parse_network_names(text: str) -> tuple[NamedNetwork, ...]:
    """The named networks of a setting, the narrowest first.

    >>> [each.name for each in parse_network_names("10.0.0.0/8=Force; 10.1.0.0/16=Headquarters")]
    ['Headquarters', 'Force']

    Raises:
        NetworkNameError: A part is not a network, "=" and a name; the message says which.
    """
    named = []
    for part in filter(None, map(str.strip, text.split(";"))):
        written, _, name = (piece.strip() for piece in part.partition("="))
        try:
            network = ip_network(written)
        except ValueError as error:
            raise NetworkNameError(f"“{written[:LONGEST_NAME]}” is not a network") from error
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise NetworkNameError(f"the name of {network} has 1 to {LONGEST_NAME} characters")
        if name.casefold() == ELSEWHERE:
            raise NetworkNameError(f"no network is called “{name}”: that means all other addresses")
        named.append(NamedNetwork(network, name))
    return tuple(sorted(named, key=lambda each: -each.network.prefixlen))


def list_faults(text: str) -> list[str]:
    """What is wrong with the setting, as sentences that name it; nothing where it can be used."""
    try:
        parse_network_names(text)
    except NetworkNameError as error:
        return [f"NETWORK_NAMES is such as 10.1.0.0/16=Headquarters; 10.2.0.0/16=North: {error}."]
    return []


def name_network(address: str, networks: Sequence[NamedNetwork]) -> str:
    """The name of the narrowest network that the address lies in; empty if it lies in none.

    >>> name_network("10.1.2.3", parse_network_names("10.0.0.0/8=Force; 10.1.0.0/16=Headquarters"))
    'Headquarters'
    """
    parsed = parse_address(address)
    if parsed is None:
        return ""
    return next((each.name for each in networks if parsed in each.network), "")


def parse_address(text: str) -> Address | None:
    """The address, IPv4 in IPv6 as IPv4; None if the text is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def parse_typed_network(text: str) -> IPv4Network | IPv6Network:
    """The network that somebody typed: an address is a network of one.

    >>> str(parse_typed_network(" 10.1.2.3 ")), str(parse_typed_network("10.1.2.3/16"))
    ('10.1.2.3/32', '10.1.0.0/16')

    Raises:
        NetworkNameError: The text is neither.
    """
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise NetworkNameError(
            "Enter an address, such as 192.0.2.7, or a network, such as 10.1.0.0/16."
        ) from error
