"""Posting for real: what was checked is what is connected to, and nothing lasts, leads on or grows."""

import datetime
import ipaddress
import socket
import ssl
import threading
from ipaddress import ip_network
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.platform.outbound import OutboundError, OutboundFault, OutboundPolicy, post_message
from tests.platform.outbound.receivers import receiving

LOOPBACK = OutboundPolicy((ip_network("127.0.0.0/8"),))


def resolving(*answers, networks=("127.0.0.0/8",)):
    """A policy whose names have these addresses, one list after the other; and what was asked."""
    asked = []

    def resolve(host, port):
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return OutboundPolicy(tuple(map(ip_network, networks)), resolve), asked


def port_of(receiver):
    """The port on which a receiver listens."""
    return urlsplit(receiver.address).port


def fault_of(address, policy=LOOPBACK, **options):
    with pytest.raises(OutboundError) as refused:
        post_message(address, b"{}", {}, policy, **options)
    return refused.value.fault


def test_a_message_arrives_as_it_is_and_the_status_comes_back():
    with receiving() as receiver:
        receiver.statuses = [204, 418]
        headers = {"Content-Type": "application/json", "webhook-id": "msg_1"}

        assert post_message(receiver.address + "?a=b", b'{"a":1}', headers, LOOPBACK).status == 204
        assert post_message(receiver.address, b"", {}, LOOPBACK).status == 418

    first = receiver.messages[0]
    assert (first.path, first.body, first.headers["webhook-id"]) == ("/hook?a=b", b'{"a":1}', "msg_1")
    assert first.headers["host"] == receiver.address.split("/")[2]


def test_a_name_that_changes_its_address_after_the_check_is_resolved_once():
    with receiving() as receiver:
        port = port_of(receiver)
        policy, asked = resolving(["127.0.0.1"], ["10.0.0.1"])

        assert post_message(f"http://localhost:{port}/", b"", {}, policy).status == 200
        assert fault_of(f"http://localhost:{port}/", policy) is OutboundFault.ADDRESS

    assert asked == ["localhost", "localhost"]


def test_a_name_that_resolves_to_a_private_address_gets_nothing():
    with receiving() as receiver:
        port = port_of(receiver)
        for answer in (["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"]):
            policy, _ = resolving(answer, networks=())
            assert fault_of(f"https://hr.example:{port}/", policy) is OutboundFault.ADDRESS

    assert receiver.messages == []


def test_a_redirect_is_an_answer_and_not_followed():
    with receiving() as inside, receiving() as receiver:

        def redirect(handler):
            handler.send_response(307)
            handler.send_header("Location", inside.address)
            handler.end_headers()

        receiver.answer = redirect
        assert post_message(receiver.address, b"{}", {}, LOOPBACK).status == 307

    assert inside.messages == []


def test_a_body_without_end_is_not_read():
    with receiving() as receiver:

        def flood(handler):
            handler.send_response(200)
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(b"x" * 65536)
            except OSError:
                pass

        receiver.answer = flood
        assert post_message(receiver.address, b"{}", {}, LOOPBACK).status == 200


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_an_answer_that_trickles_ends_at_the_limit(start):
    stopping = threading.Event()

    def trickle(listener):
        connection, _ = listener.accept()
        with connection:
            try:
                connection.sendall(start)
                while not stopping.wait(0.05):
                    connection.sendall(b"X" if start != b"HTTP/1.1 100 Continue\r\n\r\n" else start)
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle, args=(listener,), daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert fault_of(address, seconds=0.4) is OutboundFault.TIMEOUT
        stopping.set()
        thread.join()


def test_a_name_server_that_does_not_answer_ends_at_the_limit():
    released = threading.Event()
    policy = OutboundPolicy((), lambda host, port: [str(released.wait(5))])

    assert fault_of("https://hr.example/", policy, seconds=0.2) is OutboundFault.TIMEOUT
    released.set()


def test_faults_are_told_apart():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    nothing, _ = resolving([])

    assert fault_of(f"http://127.0.0.1:{port}/") is OutboundFault.UNREACHABLE
    assert fault_of("https://nowhere.example/", nothing) is OutboundFault.NAME
    with receiving() as receiver:
        receiver.answer = lambda handler: handler.wfile.write(b"220 mail.example ESMTP\r\n")
        assert fault_of(receiver.address) is OutboundFault.NO_ANSWER


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a certificate for hr.example, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hr.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hr.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


def test_the_certificate_is_checked_for_the_name_while_the_checked_address_is_connected_to(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    policy, asked = resolving(["127.0.0.1"])
    with receiving(context) as receiver:
        port = port_of(receiver)
        trusted = {"authorities": str(certificate)}

        assert post_message(f"https://hr.example:{port}/", b"{}", {}, policy, **trusted).status == 200
        assert fault_of(f"https://other.example:{port}/", policy, **trusted) is OutboundFault.CERTIFICATE
        assert fault_of(f"https://hr.example:{port}/", policy) is OutboundFault.CERTIFICATE
        assert fault_of(f"https://127.0.0.1:{port}/", policy, **trusted) is OutboundFault.CERTIFICATE

    assert len(receiver.messages) == 1
    assert ipaddress.ip_address("127.0.0.1").is_loopback
    assert asked[0] == "hr.example"
