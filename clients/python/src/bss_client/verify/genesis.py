"""What a consortium started from, and all that has to be trusted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf import json_format

from bss_client.bssv1 import genesis_pb2
from bss_client.verify.problem import Problem, Step
from bss_client.verify.signature import KEY_BYTES, is_acceptable_point
from bss_client.verify.wire import SAFE_MAX, is_hash

_FILE_BYTES_MAX = 64 << 20
_MANAGERS_MAX = 100
_BEACON_BYTES = 64

_ID = re.compile(r"[a-z0-9-]{1,63}")


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class Genesis:
    """What a consortium started from. In this release the managers and their keys stay as it names
    them."""

    consortium_id: bytes
    """SHA-256 of the file."""
    name: str
    """The one in every certificate's URI."""
    message: genesis_pb2.Genesis
    """The file's content."""
    managers: Mapping[str, genesis_pb2.ManagerMember]
    """The managers by id."""

    @property
    def faults_max(self) -> int:
        """f: how many of the N managers may be faulty."""
        return (len(self.managers) - 1) // 3

    @property
    def quorum(self) -> int:
        """Q: how many of the N managers make a block final."""
        return len(self.managers) - self.faults_max

    @classmethod
    def parse(cls, file: bytes) -> Genesis:
        """Reads the exact bytes of a genesis file; raises `Problem`.

        It checks what the checks of this package rest on: that there are managers with ids and
        keys, none of them twice. A file that a consortium does not run with has another consortium
        id, so nothing that is signed fits it.
        """
        if len(file) > _FILE_BYTES_MAX:
            raise _invalid(f"it has more than {_FILE_BYTES_MAX} bytes")
        message = genesis_pb2.Genesis()
        try:
            json_format.Parse(file, message)
        except (json_format.ParseError, ValueError, RecursionError) as error:
            raise _invalid(str(error)) from error
        if not is_id(message.consortium_name):
            raise _invalid("consortium_name is not 1 to 63 of the characters a-z, 0-9 and -")
        if not message.HasField("policy") or len(message.beacon) != _BEACON_BYTES:
            raise _invalid("the policy or the beacon is missing")
        if not 1 <= message.time_unix_ms <= SAFE_MAX:
            raise _invalid("time_unix_ms is not a time")
        return cls(
            consortium_id=hashlib.sha256(file).digest(),
            name=message.consortium_name,
            message=message,
            managers=_managers_of(message),
        )


def _managers_of(message: genesis_pb2.Genesis) -> dict[str, genesis_pb2.ManagerMember]:
    if not 1 <= len(message.managers) <= _MANAGERS_MAX:
        raise _invalid(f"there are not 1 to {_MANAGERS_MAX} managers")
    managers: dict[str, genesis_pb2.ManagerMember] = {}
    keys = set()
    for i, manager in enumerate(message.managers):
        key = manager.signing_key
        if not is_id(manager.manager_id):
            raise _invalid(f"managers[{i}].manager_id is not an id")
        if len(key) != KEY_BYTES or not is_acceptable_point(key):
            raise _invalid(f"managers[{i}].signing_key is not an Ed25519 public key")
        if manager.manager_id in managers or key in keys:
            raise _invalid(f"managers[{i}] has the id or key of another manager")
        if not is_hash(manager.tls_spki_sha256):
            raise _invalid(f"managers[{i}].tls_spki_sha256 does not have 32 bytes")
        keys.add(key)
        managers[manager.manager_id] = manager
    return managers


def _invalid(what: str) -> Problem:
    return Problem(Step.GENESIS, f"not a genesis file: {what}")
