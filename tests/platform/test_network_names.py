"""Names of networks."""

import pytest

from portal.platform.network_names import (
    NetworkNameError,
    list_faults,
    name_network,
    parse_network_names,
    parse_typed_network,
)

NAMES = "10.0.0.0/8=The force; 10.1.0.0/16 = Headquarters;2001:db8::/32=Sites=old;"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.1.2.3", "Headquarters"),
        ("10.2.2.3", "The force"),
        ("192.0.2.1", ""),
        ("::ffff:10.1.2.3", "Headquarters"),
        ("2001:db8::1", "Sites=old"),
        ("2001:db9::1", ""),
        ("", ""),
        ("unknown", ""),
    ],
)
def test_the_narrowest_network_names_an_address(address: str, name: str) -> None:
    assert name_network(address, parse_network_names(NAMES)) == name


def test_without_the_setting_no_address_has_a_name() -> None:
    assert parse_network_names("") == ()
    assert name_network("10.1.2.3", ()) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Headquarters",
        "10.1.0.0/16",
        "10.1.0.0/16=",
        "10.1.2.3/16=Host bits",
        "10.1.0.0/33=Too long",
        "=Name",
        "10.1.0.0/16=Elsewhere",
        f"10.1.0.0/16={'x' * 61}",
        "10.1.0.0/16=a\tb",
    ],
)
def test_a_wrong_setting_is_said_in_one_sentence(text: str) -> None:
    (sentence,) = list_faults(text)

    assert sentence.startswith("NETWORK_NAMES is such as")


@pytest.mark.parametrize("text", ["10.1.2.3/16", "10.1.0.0/16", " 10.1.0.0/16 "])
def test_a_typed_network_may_have_host_bits(text: str) -> None:
    assert str(parse_typed_network(text)) == "10.1.0.0/16"


@pytest.mark.parametrize("text", ["headquarters", "10.1.2", "10.1.2.3/-1", "1;DROP", "é"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(NetworkNameError, match="Enter an address"):
        parse_typed_network(text)
