"""Connections to exactly the managers of genesis, each by the key that is registered there.

A host name would prove less: loopback names are in every node's certificate. gRPC for Python checks
the chain and a host name, and shows no certificate. So each connection is made twice: a first
handshake gets the manager's certificate, which is held against genesis, and then gRPC is told to
accept this one certificate and no other. If the manager has renewed it meanwhile, gRPC refuses, and
the next connection begins with the first handshake again.
"""

from __future__ import annotations

import hashlib
import socket
import ssl

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bss_client.errors import unreachable
from bss_client.identity import Identity, names_of
from bss_client.manager_watch import ASK_TIMEOUT_S, SILENCES_S
from bss_client.profile import Profile

# Blocks of a consortium of thousands of storage nodes may exceed the 4 MiB that gRPC takes.
_MESSAGE_BYTES_MAX = 16 << 20
# A manager that is silent for so long is left: the first silence, and the time to say how it is.
_HANDSHAKE_TIMEOUT_S = SILENCES_S[0] + ASK_TIMEOUT_S

# Begins what is said of a server that is not the one of genesis.
IDENTITY_REFUSAL = "the server's identity: "


def open_channel(profile: Profile, address: str, timeout: float) -> grpc.Channel:
    """Raises BssError when there is no manager of genesis at the address."""
    certificate = _certificate_at(profile, address, min(max(timeout, 0.001), _HANDSHAKE_TIMEOUT_S))
    hosts = names_of(certificate, x509.DNSName) + names_of(certificate, x509.IPAddress)
    if not hosts:
        raise _refusal("its certificate names no host")
    credentials = grpc.ssl_channel_credentials(
        root_certificates=certificate.public_bytes(Encoding.PEM),
        private_key=profile.tls_key,
        certificate_chain=profile.certificate,
    )
    options: list[tuple[str, str | int]] = [
        ("grpc.ssl_target_name_override", hosts[0]),
        ("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX),
        # The first handshake knows no proxy, so gRPC uses none either.
        ("grpc.enable_http_proxy", 0),
        # Otherwise a new channel would share the old one's backoff.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
    return grpc.secure_channel(address, credentials, options)


def _certificate_at(profile: Profile, address: str, timeout: float) -> x509.Certificate:
    """The certificate of a manager of genesis, which has accepted the caller's."""
    host, _, port = address.rpartition(":")
    try:
        with (
            socket.create_connection((host.strip("[]"), int(port)), timeout) as connection,
            profile.tls.wrap_socket(connection) as secured,
        ):
            encoded = secured.getpeercert(binary_form=True)
            # In TLS 1.3 a server's refusal of our certificate comes after the handshake; otherwise
            # HTTP/2 begins here.
            secured.recv(1)
    except ssl.SSLError as error:
        tls_refused = not isinstance(error, ssl.SSLEOFError)
        raise unreachable(f"TLS: {error}", tls_refused=tls_refused) from error
    except (OSError, ValueError) as error:
        raise unreachable(f"cannot connect: {error}") from error
    certificate = x509.load_der_x509_certificate(encoded or b"")
    _check_server(profile, certificate)
    return certificate


def _check_server(profile: Profile, certificate: x509.Certificate) -> None:
    """Checks who the certificate is for; its chain has been verified."""
    genesis = profile.genesis
    try:
        named = Identity.of(certificate)
    except ValueError as error:
        raise _refusal(str(error)) from error
    manager = genesis.managers.get(named.id)
    if named.role != "manager" or named.consortium != genesis.name or manager is None:
        raise _refusal(f"it is {named}, and not a manager of {genesis.name}")
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if hashlib.sha256(key).digest() != manager.tls_spki_sha256:
        raise _refusal(f"its key is not the one that genesis names for {named.id}")


def _refusal(what: str) -> Exception:
    return unreachable(IDENTITY_REFUSAL + what, tls_refused=True)
