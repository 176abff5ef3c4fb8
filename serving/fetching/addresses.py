"""Which IP addresses lie on the public internet, whatever they are disguised as."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

IPAddress = IPv4Address | IPv6Address

METADATA = frozenset({IPv4Address("168.63.129.16")})
"""Azure's wire server: the one cloud metadata address that is not private, link-local or shared anyway."""

GLOBAL_UNICAST, NAT64 = IPv6Network("2000::/3"), IPv6Network("64:ff9b::/96")
TUNNELS_AND_EXAMPLES = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Teredo, 6to4 and others that carry another address inside, or none."""
SPECIAL = tuple(ip_network(block) for block in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/3"))
"""Protocol assignments, the relays of 6to4, multicast and everything above it."""


def is_public(address: IPAddress) -> bool:
    """Whether it is a host on the internet: not this machine, its network, its cloud, nor a way back to them."""
    if isinstance(address, IPv4Address):
        return address.is_global and address not in METADATA and not any(address in block for block in SPECIAL)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return (
        address.is_global and address in GLOBAL_UNICAST and not any(address in block for block in TUNNELS_AND_EXAMPLES)
    )
