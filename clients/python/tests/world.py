"""Managers in this process, over real TLS, that answer as a test says. The chain that they serve is
that of the shared corpus."""

from __future__ import annotations

import hashlib
import pathlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import corpus
import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from bss_client import Client, Profile
from bss_client.bssv1 import (
    broadcast_pb2,
    broadcast_pb2_grpc,
    genesis_pb2,
    query_pb2,
    query_pb2_grpc,
)
from bss_client.profile import tls_context

Context = grpc.ServicerContext
Stream = Callable[
    [Iterator[broadcast_pb2.SubmitStreamRequest], Context],
    Iterable[broadcast_pb2.SubmitStreamResponse],
]


@dataclass
class Refusal(Exception):
    """A status as a node sends it."""

    code: grpc.StatusCode
    reason: str
    field: str = ""
    retry_after_ms: int = 0

    def abort(self, context: Context) -> None:
        details: list[Message] = [error_details_pb2.ErrorInfo(reason=self.reason, domain="bss")]
        if self.field:
            violation = error_details_pb2.BadRequest.FieldViolation(field=self.field)
            details.append(error_details_pb2.BadRequest(field_violations=[violation]))
        if self.retry_after_ms:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromMilliseconds(self.retry_after_ms)
            details.append(retry)
        status = status_pb2.Status(code=self.code.value[0], message="for people")
        for each in details:
            status.details.add().Pack(each)
        trailer = ("grpc-status-details-bin", status.SerializeToString())
        context.set_trailing_metadata((trailer,))
        context.abort(self.code, "for people")


STOPPING = Refusal(grpc.StatusCode.UNAVAILABLE, "NODE_STOPPING")


@dataclass
class Manager(broadcast_pb2_grpc.BroadcastServiceServicer, query_pb2_grpc.QueryServiceServicer):
    """Answers with its functions and messages."""

    on_submit: Callable[[broadcast_pb2.SubmitRequest], broadcast_pb2.SubmitResponse] | None = None
    on_stream: Stream | None = None
    on_watch: Callable[[int], Iterable[query_pb2.BlockView]] | None = None
    status: query_pb2.GetStatusResponse = field(default_factory=query_pb2.GetStatusResponse)
    # ListBlocks pages through these, two at a time.
    blocks: list[query_pb2.BlockView] = field(default_factory=list)
    nodes: list[query_pb2.StorageNodeStatus] = field(default_factory=list)
    record: query_pb2.RecordEntry = field(default_factory=query_pb2.RecordEntry)
    receipt: query_pb2.Receipt = field(default_factory=query_pb2.Receipt)
    settlement: query_pb2.Settlement = field(default_factory=query_pb2.Settlement)
    calls: int = 0

    def Submit(self, request: broadcast_pb2.SubmitRequest, context: Context) -> Any:
        self.calls += 1
        assert self.on_submit is not None
        try:
            return self.on_submit(request)
        except Refusal as refusal:
            refusal.abort(context)

    def SubmitStream(
        self, request_iterator: Iterator[broadcast_pb2.SubmitStreamRequest], context: Context
    ) -> Any:
        self.calls += 1
        assert self.on_stream is not None
        try:
            yield from self.on_stream(request_iterator, context)
        except Refusal as refusal:
            refusal.abort(context)

    def WatchBlocks(self, request: query_pb2.WatchBlocksRequest, context: Context) -> Any:
        assert self.on_watch is not None
        for block in self.on_watch(request.from_height):
            yield query_pb2.WatchBlocksResponse(block=block)
        STOPPING.abort(context)

    def GetStatus(self, request: query_pb2.GetStatusRequest, context: Context) -> Any:
        return self.status

    def GetRecord(self, request: query_pb2.GetRecordRequest, context: Context) -> Any:
        return query_pb2.GetRecordResponse(entry=self.record)

    def GetReceipt(self, request: query_pb2.GetReceiptRequest, context: Context) -> Any:
        return query_pb2.GetReceiptResponse(receipt=self.receipt)

    def GetSettlement(self, request: query_pb2.GetSettlementRequest, context: Context) -> Any:
        return query_pb2.GetSettlementResponse(settlement=self.settlement)

    def ListStorageNodes(self, request: query_pb2.ListStorageNodesRequest, context: Context) -> Any:
        return query_pb2.ListStorageNodesResponse(nodes=self.nodes)

    def ListBlocks(self, request: query_pb2.ListBlocksRequest, context: Context) -> Any:
        left = self.blocks[request.from_height - 1 :][2 * len(request.page_token) :]
        token = request.page_token + "x" if len(left) > 2 else ""
        return query_pb2.ListBlocksResponse(blocks=left[:2], next_page_token=token)


@dataclass(frozen=True)
class Certified:
    """A certificate and its key, PEM, and the hash of the public key."""

    certificate: bytes
    key: bytes
    spki_sha256: bytes


class World:
    """A consortium of which some managers run."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.genesis = corpus.genesis()
        self.blocks = [query_pb2.BlockView.FromString(each) for each in corpus.valid_blocks()]
        self.addresses: list[str] = []
        # The genesis file names no keys of these certificates, so clients get a copy that does.
        self._managers = {
            id: genesis_pb2.ManagerMember.FromString(member.SerializeToString())
            for id, member in self.genesis.managers.items()
        }
        self._directory = directory
        self._servers: list[grpc.Server] = []
        self._clients: list[Client] = []
        self._authority_key = ec.generate_private_key(ec.SECP256R1())
        self._authority = self._build("authority", self._authority_key, True, []).public_bytes(
            Encoding.PEM
        )

    def close(self) -> None:
        for client in self._clients:
            client.close()
        for server in self._servers:
            server.stop(0).wait()

    def start(self, id: str, manager: Manager) -> Manager:
        """Runs a manager that genesis names, and adds its address to the profile."""
        certified = self.certify("manager", id)
        self._managers[id].tls_spki_sha256 = certified.spki_sha256
        self.serve(certified, manager)
        return manager

    def serve(self, certified: Certified, manager: Manager) -> None:
        server = grpc.server(futures.ThreadPoolExecutor(8))
        broadcast_pb2_grpc.add_BroadcastServiceServicer_to_server(manager, server)
        query_pb2_grpc.add_QueryServiceServicer_to_server(manager, server)
        pair = (certified.key, certified.certificate + self._authority)
        credentials = grpc.ssl_server_credentials([pair], self._authority, True)
        port = server.add_secure_port("127.0.0.1:0", credentials)
        server.start()
        self._servers.append(server)
        self.addresses.append(f"127.0.0.1:{port}")

    def connect(self) -> Client:
        own = self.certify("participant", "participant-1")
        certificate, key = self._directory / "tls.crt", self._directory / "tls.key"
        certificate.write_bytes(own.certificate)
        key.write_bytes(own.key)
        profile = Profile(
            id="participant-1",
            role="participant",
            addresses=tuple(self.addresses),
            genesis=replace(self.genesis, managers=self._managers),
            certificate=own.certificate,
            tls_key=own.key,
            tls=tls_context(certificate, key, self._authority),
            signing_key=Ed25519PrivateKey.generate(),
        )
        client = Client(profile)
        self._clients.append(client)
        return client

    def certify(self, role: str, id: str) -> Certified:
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.UniformResourceIdentifier(f"bss://{self.genesis.name}/{role}/{id}"),
            x509.DNSName("localhost"),
        ]
        certificate = self._build(id, key, False, names)
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem = certificate.public_bytes(Encoding.PEM)
        return Certified(pem, encoded, hashlib.sha256(public).digest())

    def _build(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        is_authority: bool,
        names: list[x509.GeneralName],
    ) -> x509.Certificate:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._authority_key, hashes.SHA256())


def wait_until_over(context: Context) -> None:
    over = threading.Event()
    if context.add_callback(over.set):
        over.wait()
