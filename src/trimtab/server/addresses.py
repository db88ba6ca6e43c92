"""Which addresses a server may connect to because somebody asked it to: public ones."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

__all__ = ["Allowed", "is_public"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The special-purpose registries of IANA; the standard library's `is_global` differs from one version of Python to the next.
SPECIAL = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # of carriers; also where clouds have their metadata
            "127.0.0.0/8",
            "168.63.129.16/32",  # a cloud's own services, in an address that is public otherwise
            "169.254.0.0/16",  # link-local, metadata among it
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
            "2001::/23",  # protocols, Teredo among them
            "2001:db8::/32",
            "2002::/16",  # 6to4: an IPv4 address inside
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)
UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out of IPv6: whatever is elsewhere is local, a group, or an IPv4 address in disguise."""
TRANSLATED = IPv6Network("64:ff9b::/96")
"""An IPv4 address, as a network that has IPv6 alone reaches it."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet, and of nothing nearer."""
    if isinstance(address, IPv6Address):
        if address in TRANSLATED:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in UNICAST or address.scope_id:
            return False
    return not any(address in each for each in SPECIAL)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be connected to: public addresses, and what an operator has named.

    Attributes:
        hosts: Names whose addresses may be any.
        networks: Addresses that need not be public.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = field(default=())

    @classmethod
    def of(cls, entries: Iterable[str]) -> Self:
        """Of texts such as `files.example`, `10.1.0.0/16`, `127.0.0.1`.

        Raises:
            ValueError: One of them is a network that cannot be read.
        """
        hosts, networks = set(), []
        for entry in entries:
            if "/" in entry or _is_address(entry):
                networks.append(ip_network(entry))
            else:
                hosts.add(entry.lower().rstrip("."))
        return cls(frozenset(hosts), tuple(networks))

    def allows(self, host: str, address: str) -> bool:
        """Whether this address of this host may be connected to."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        named = host.lower().rstrip(".") in self.hosts
        return named or is_public(found) or any(found in each for each in self.networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
