"""Which addresses the server connects to for others: those of the internet, and of nothing nearer."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.server.addresses import SPECIAL, Allowed, is_public

REFUSED = """
    127.0.0.1 127.255.255.254 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.100.100.200
    169.254.169.254 169.254.170.2 168.63.129.16 192.0.0.192 192.0.2.1 198.18.0.1 203.0.113.1 224.0.0.1 239.1.1.1
    240.0.0.1 255.255.255.255
    :: ::1 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd00:ec2::254 ff02::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1
    64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2001::1 2001:db8::1 2002:7f00:1:: 3fff::1 100::1 4000::1
""".split()  # noqa: SIM905 # a list of forty would be forty lines
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "192.169.0.1", "2606:4700:4700::1111", "64:ff9b::808:808"]

v4 = st.integers(0, 2**32 - 1).map(IPv4Address)
v6 = st.integers(0, 2**128 - 1).map(IPv6Address)
special = st.sampled_from(SPECIAL).flatmap(
    lambda network: st.integers(0, network.num_addresses - 1).map(lambda n: network[n])
)


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_of_the_internet_is_refused(address):
    assert not is_public(ip_address(address))
    assert not Allowed().allows("host.example", address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_of_the_internet_is_allowed(address):
    assert is_public(ip_address(address))


@given(st.one_of(v4, v6, special))
def test_nothing_is_allowed_that_the_standard_library_calls_local(address):
    if is_public(address) and address not in ip_network("64:ff9b::/96"):
        assert address.is_global
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not is_public(address) or address in ip_network("64:ff9b::/96")


@given(special)
def test_no_special_address_is_allowed_in_any_disguise(address):
    if address.version == 4:
        number = int(address)
        for prefix in (0, 0xFFFF << 32, 0x64FF9B << 96, 0x2002 << 112):
            shift = 80 if prefix == 0x2002 << 112 else 0
            assert not is_public(IPv6Address(prefix | number << shift))
    assert not is_public(address)


@given(v4)
def test_a_mapped_address_is_refused_whatever_it_is(address):
    """Nobody who means well resolves to one."""
    assert not is_public(IPv6Address(f"::ffff:{address}"))


def test_an_operator_names_hosts_and_networks():
    allowed = Allowed.of(["files.internal", "10.1.0.0/16", "127.0.0.1", "fd00::/8"])
    assert allowed.allows("FILES.internal.", "192.168.1.1")
    assert allowed.allows("other.example", "10.1.2.3")
    assert allowed.allows("other.example", "127.0.0.1")
    assert allowed.allows("other.example", "fd00::1")
    assert not allowed.allows("other.example", "10.2.0.1")
    assert not allowed.allows("files.internal.example", "192.168.1.1")
    assert not allowed.allows("other.example", "::ffff:127.0.0.1")
    with pytest.raises(ValueError, match="host bits"):
        Allowed.of(["10.1.2.3/16"])


@given(st.text(max_size=50))
def test_what_is_no_address_is_refused(text):
    try:
        ip_address(text)
    except ValueError:
        assert not Allowed().allows("host.example", text)
