"""Where messages may go: every notation of an address that is not public is refused."""

from ipaddress import ip_address, ip_network

import pytest

from portal.platform.outbound import (
    OutboundError,
    OutboundFault,
    OutboundPolicy,
    check_addresses,
    read_target,
)

STRICT = OutboundPolicy()
INSIDE = OutboundPolicy((ip_network("10.1.0.0/16"),))

NOT_PUBLIC = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "168.63.129.16", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1",
    "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::1",
    "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "100::1",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(address):
    assert not STRICT.allows(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_allowed(address):
    assert STRICT.allows(ip_address(address))


def test_a_setting_allows_a_private_network_and_no_other():
    assert INSIDE.allows(ip_address("10.1.2.3"))
    assert INSIDE.allows(ip_address("::ffff:10.1.2.3"))
    assert not INSIDE.allows(ip_address("10.2.0.1"))
    assert not INSIDE.allows(ip_address("169.254.169.254"))


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest",
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/",
        "https://127.1/", "https://127.0.0.1./", "https://１２７.0.0.1/", "https://①②⑦.⓪.⓪.①/",
        "https://[fe80::1%25eth0]/", "https://[::1", "https://user@hr.example/", "https://u:p@hr.example/",
        "https://hr.example@127.0.0.1/", "https://@hr.example/", "https://hr.example:25/",
        "https://hr.example:0/", "https://hr.example:99999/", "https://hr.example/#part",
        "http://hr.example/", "http://10.1.0.1/", "ftp://hr.example/", "file:///etc/passwd", "gopher://x/",
        "//hr.example/", "hr.example", "", "https://", "https:///x", "https://hr example/",
        "https://hr.example\\@127.0.0.1/", "https://hr.example/\r\nX: y", "https://-x.example/",
        "https://a..example/", "https://hr.example/é", "https://hr.example/" + "x" * 500,
    ],
)  # fmt: skip
def test_an_address_is_refused_as_it_is_written_with_a_sentence(address):
    with pytest.raises(OutboundError) as refused:
        read_target(address, STRICT)

    assert refused.value.fault is OutboundFault.ADDRESS
    assert refused.value.sentence.endswith((".", "https://", "webhooks", "numbers"))


@pytest.mark.parametrize(
    ("address", "host", "port", "path", "header"),
    [
        ("https://hr.example", "hr.example", 443, "/", "hr.example"),
        ("https://HR.example:8443/a?b=c", "hr.example", 8443, "/a?b=c", "hr.example:8443"),
        ("https://bücher.example/x", "xn--bcher-kva.example", 443, "/x", "xn--bcher-kva.example"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
        ("https://[2606:4700::1111]:8443/", "2606:4700::1111", 8443, "/", "[2606:4700::1111]:8443"),
    ],
)
def test_an_address_is_read_into_its_parts(address, host, port, path, header):
    target = read_target(address, STRICT)

    assert (target.host, target.port, target.path, target.host_header) == (host, port, path, header)


def test_one_private_address_among_public_ones_refuses_the_name():
    target = read_target("https://hr.example/", STRICT)

    with pytest.raises(OutboundError, match="not public"):
        check_addresses(["8.8.8.8", "10.0.0.1"], target, STRICT)


def test_http_is_for_a_loopback_that_is_allowed():
    loopback = OutboundPolicy((ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")))

    assert read_target("http://127.0.0.1:8900/x", loopback).port == 8900
    assert read_target("http://localhost:8900/x", STRICT).host == "localhost"  # refused once it is resolved
    for address, texts in (("http://localhost:8900/", ["10.0.0.1"]), ("http://localhost/", ["8.8.8.8"])):
        with pytest.raises(OutboundError):
            check_addresses(texts, read_target(address, loopback), loopback)
    with pytest.raises(OutboundError):
        check_addresses(["127.0.0.1"], read_target("http://localhost/", STRICT), STRICT)
