"""Puts one meter reading onto the ledger and checks its receipt, in plain Python.

    python submit_reading.py PROFILE METER START IMPORTED_WH EXPORTED_WH

PROFILE is a profile.yaml that `bss init` wrote, START an hour as Unix seconds. The interval's
length is taken to be 3600 s. docs/integrators.md explains each step.
"""

import hashlib
import os
import pathlib
import sys
import time

import bss_stubs
import grpc
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from google.protobuf import json_format

block_pb2 = bss_stubs.load("bss.v1.block_pb2")
broadcast_pb2 = bss_stubs.load("bss.v1.broadcast_pb2")
broadcast_grpc = bss_stubs.load("bss.v1.broadcast_pb2_grpc")
canonical_pb2 = bss_stubs.load("bss.v1.canonical_pb2")
genesis_pb2 = bss_stubs.load("bss.v1.genesis_pb2")
query_pb2 = bss_stubs.load("bss.v1.query_pb2")
query_grpc = bss_stubs.load("bss.v1.query_pb2_grpc")
record_pb2 = bss_stubs.load("bss.v1.record_pb2")

INTERVAL_S = 3600


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def main(profile_path: str, meter: str, start_s: int, imported_wh: int, exported_wh: int) -> None:
    base = pathlib.Path(profile_path).parent
    profile = yaml.safe_load(pathlib.Path(profile_path).read_text())
    genesis_bytes = (base / profile["consortium"]).read_bytes()
    consortium_id = sha256(genesis_bytes)
    genesis = json_format.Parse(genesis_bytes, genesis_pb2.Genesis())
    seed = bytes.fromhex((base / profile["signing_key"]).read_text().strip())

    # 1  The record. Keep its exact bytes: sending them again is safe, building it again is not.
    record = record_pb2.Record(
        owner_id=profile["id"],
        salt=os.urandom(16),
        time_unix_ms=(start_s + INTERVAL_S) * 1000,
        meter_reading=record_pb2.MeterReading(
            meter_id=meter,
            interval_start_unix_s=start_s,
            interval_s=INTERVAL_S,
            imported_wh=imported_wh,
            exported_wh=exported_wh,
        ),
    ).SerializeToString()
    record_hash = sha256(b"bss/v1/record", consortium_id, record)

    # 2  The submission: the header names the records, the signature is over the header.
    header = record_pb2.SubmissionHeader(
        consortium_id=consortium_id, participant_id=profile["id"], record_hashes=[record_hash]
    ).SerializeToString()
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(
        sha256(b"bss/v1/submission", header)
    )
    submission = record_pb2.Submission(header=header, signature=signature, records=[record])

    # 3  Submit, and wait until it is final.
    tls = {name: (base / path).read_bytes() for name, path in profile["tls"].items()}
    credentials = grpc.ssl_channel_credentials(tls["ca"], tls["key"], tls["certificate"])
    with grpc.secure_channel(profile["addresses"][0], credentials) as channel:
        request = broadcast_pb2.SubmitRequest(submission=submission)
        started = time.monotonic()
        try:
            response = broadcast_grpc.BroadcastServiceStub(channel).Submit(request, timeout=30)
        except grpc.RpcError as error:
            sys.exit(f"refused: {error.code().name}: {error.details()}")
        outcome = response.outcomes[0]
        if outcome.WhichOneof("outcome") != "committed":
            sys.exit(f"not on the ledger: {outcome}")
        print(f"record {record_hash.hex()}")
        print(f"block {outcome.committed.height} after {time.monotonic() - started:.1f} s")

        # 4  Fetch the receipt and check it: of the whole answer nothing is taken on trust.
        query = query_grpc.QueryServiceStub(channel)
        receipt = query.GetReceipt(
            query_pb2.GetReceiptRequest(record_hash=record_hash), timeout=10
        ).receipt
    signers = check_receipt(receipt, record_hash, consortium_id, genesis)
    print(f"the receipt is valid: signed by {', '.join(signers)}")


def check_receipt(receipt, record_hash: bytes, consortium_id: bytes, genesis) -> list[str]:
    """The managers that signed; exits when the receipt does not prove that the record is there."""
    header = block_pb2.ManagerBlockHeader.FromString(receipt.header)
    require(header.consortium_id == consortium_id, "the header is of this consortium")

    require(len(receipt.seal_digest) == 32, "a seal digest has 32 bytes")
    leaf = sha256(b"\x00", record_hash, receipt.seal_digest)
    root = root_from_proof(leaf, receipt.position, header.tree_size, receipt.inclusion_proof)
    require(root == header.hash1, "the inclusion proof leads to HASH1")

    # A leaf is under every later block's root too. This block added it if the tree before had not
    # come that far.
    size_before = 0
    if header.height > 1:
        previous = receipt.previous_header
        is_previous = sha256(b"bss/v1/block", previous) == header.previous_block_id
        require(is_previous, "the previous header is the one before")
        size_before = block_pb2.ManagerBlockHeader.FromString(previous).tree_size
    require(receipt.position >= size_before, "this block added the record")

    block_id = sha256(b"bss/v1/block", receipt.header)
    certificate = receipt.commit_certificate
    require(certificate.block_id == block_id, "the certificate is for this block")
    require(certificate.height == header.height, "the certificate is for this height")
    digest = sha256(
        b"bss/v1/commit",
        canonical_pb2.CanonicalCommit(
            consortium_id=consortium_id,
            height=header.height,
            round=certificate.round,
            block_id=block_id,
        ).SerializeToString(deterministic=True),
    )
    keys = {manager.manager_id: manager.signing_key for manager in genesis.managers}
    signers = set()
    for entry in certificate.signatures:
        require(entry.manager_id in keys, f"{entry.manager_id} is a manager")
        try:
            key = Ed25519PublicKey.from_public_bytes(keys[entry.manager_id])
            key.verify(entry.signature, digest)
        except InvalidSignature:
            sys.exit(f"the signature of {entry.manager_id} does not verify")
        signers.add(entry.manager_id)
    quorum = len(keys) - (len(keys) - 1) // 3
    require(len(signers) >= quorum, f"{quorum} of {len(keys)} managers signed")
    return sorted(signers)


def root_from_proof(leaf: bytes, index: int, size: int, proof) -> bytes:
    """RFC 9162 section 2.1.3.2."""
    require(index < size, "the position is in the tree")
    node, last, root = index, size - 1, leaf
    for step in proof:
        require(last > 0, "the proof is not too long")
        if node & 1 or node == last:
            root = sha256(b"\x01", step, root)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            root = sha256(b"\x01", root, step)
        node, last = node >> 1, last >> 1
    require(last == 0, "the proof is long enough")
    return root


def require(condition: bool, what: str) -> None:
    if not condition:
        sys.exit(f"the receipt proves nothing: not true that {what}")


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], *(int(argument) for argument in sys.argv[3:]))
