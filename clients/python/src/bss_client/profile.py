"""Who is calling: a profile.yaml and the files that it names."""

from __future__ import annotations

import os
import pathlib
import re
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bss_client.identity import Identity
from bss_client.verify import Genesis, Problem

_FILE_BYTES_MAX = 64 << 20
_PROFILE_BYTES_MAX = 64 << 10

_WHICH_FILE = "give the profile.yaml of 'bss init' or 'bss register participant'"

_REQUIRED = ("id", "role", "consortium", "addresses", "tls", "signing_key")
_REQUIRED_OF_TLS = ("certificate", "key", "ca")


@dataclass(frozen=True)
class Profile:
    """Who is calling, with all files read that `Client` needs."""

    id: str
    role: str
    """participant, auditor, operator, manager or storage"""
    addresses: tuple[str, ...]
    """host:port of managers, in the order in which to try them; at least one."""
    genesis: Genesis
    """What the consortium started from. The client trusts the keys of the managers in it."""
    certificate: bytes
    """The caller's for TLS, PEM."""
    tls_key: bytes
    """The certificate's key, PEM."""
    tls: ssl.SSLContext
    """Shows that certificate, and verifies the chains of servers."""
    signing_key: Ed25519PrivateKey
    """Signs submissions."""


class ProfileError(ValueError):
    """A profile, or a file of it, that cannot be used; the text says which and what to do."""


def read_profile(file: str | os.PathLike[str]) -> Profile:
    """Reads a profile.yaml and the files that it names, whose paths are relative to it.

    Raises `ProfileError` for files that are not all of one party, secrets that everybody may read,
    and a certificate that no node would accept; OSError for a file that cannot be read.
    """
    path = pathlib.Path(file)
    if path.is_dir():
        raise ProfileError(f"{path} is a directory: give the profile.yaml in it")
    raw = _parse(path)
    at = {
        name: path.parent / text
        for name, text in {
            "consortium": raw["consortium"],
            "signing_key": raw["signing_key"],
            **raw["tls"],
        }.items()
    }
    try:
        genesis = Genesis.parse(_read(at["consortium"]))
    except Problem as error:
        raise ProfileError(f"{at['consortium']}: {error}") from error
    certificate, key = _read(at["certificate"]), _read(at["key"], secret=True)
    profile = Profile(
        id=raw["id"],
        role=raw["role"],
        addresses=tuple(raw["addresses"]),
        genesis=genesis,
        certificate=certificate,
        tls_key=key,
        tls=tls_context(at["certificate"], at["key"], _read(at["ca"])),
        signing_key=read_signing_key(at["signing_key"]),
    )
    _check(profile, path, at["signing_key"], datetime.now(timezone.utc))
    return profile


def _parse(path: pathlib.Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(_read(path, bytes_max=_PROFILE_BYTES_MAX))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        what = str(error).partition("\n")[0]
        raise ProfileError(f"{path} is not a profile: {what}; {_WHICH_FILE}") from error
    if not isinstance(raw, dict):
        raise ProfileError(f"{path} is not a profile; {_WHICH_FILE}")
    _check_fields(path, raw, _REQUIRED, "")
    if not isinstance(raw["tls"], dict):
        raise ProfileError(f"{path}: tls is not a list of files by name")
    _check_fields(path, raw["tls"], _REQUIRED_OF_TLS, "tls.")
    addresses = raw["addresses"]
    is_list = isinstance(addresses, list) and len(addresses) > 0
    if not is_list or not all(isinstance(each, str) for each in addresses):
        raise ProfileError(f"{path}: addresses is not a list of managers' host:port")
    return raw


def _check_fields(
    path: pathlib.Path, raw: Mapping[str, object], names: tuple[str, ...], prefix: str
) -> None:
    for name in names:
        if raw.get(name) is None:
            raise ProfileError(f"{path}: {prefix}{name} is missing")
        if name not in ("addresses", "tls") and not isinstance(raw[name], str):
            raise ProfileError(f"{path}: {prefix}{name} is not a text")
    for key in raw:
        if key not in names:
            raise ProfileError(f"{path}: {prefix}{key} is not a field of a profile")


def tls_context(certificate: pathlib.Path, key: pathlib.Path, authorities: bytes) -> ssl.SSLContext:
    """TLS 1.3 that verifies chains. Host names are left to `bss_client.tls`, which knows the
    keys."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.set_alpn_protocols(["h2"])
    try:
        context.load_verify_locations(cadata=authorities.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise ProfileError(f"the tls.ca file holds no certificate (PEM): {error}") from error
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise ProfileError(f"{certificate} and {key}: {error}") from error
    return context


def _check(profile: Profile, file: pathlib.Path, key_file: pathlib.Path, now: datetime) -> None:
    """Refuses files of two parties in one profile, which would fail later with an error about
    something else, and a certificate that is not valid now."""
    try:
        leaf = x509.load_pem_x509_certificates(profile.certificate)[0]
        named = Identity.of(leaf)
    except ValueError as error:
        raise ProfileError(f"{file}: the certificate: {error}") from error
    own = Identity(profile.genesis.name, profile.role, profile.id)
    if named != own:
        what = f"the certificate is that of {named}, the profile of {own}"
        raise ProfileError(f"{file}: {what}")
    first, last = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if not first <= now <= last:
        raise ProfileError(
            f"{file}: the certificate is valid from {first} to {last}, so no node accepts it now: "
            "renew it with 'bss renew'"
        )
    # Only the ledger knows the keys of those who joined later.
    registered = _registered_key(profile.genesis, profile.id)
    public = profile.signing_key.public_key().public_bytes_raw()
    if registered is not None and registered != public:
        what = f"the signing key is not the one that is registered for {profile.id}"
        raise ProfileError(f"{key_file}: {what}")


def _registered_key(genesis: Genesis, id: str) -> bytes | None:
    if id in genesis.managers:
        return genesis.managers[id].signing_key
    for each in genesis.message.operations:
        if each.register_participant.participant_id == id:
            return each.register_participant.signing_key
        if each.register_officer.officer_id == id:
            return each.register_officer.signing_key
        if each.admit_storage_node.node_id == id:
            return each.admit_storage_node.signing_key
    return None


def read_signing_key(file: str | os.PathLike[str]) -> Ed25519PrivateKey:
    """Reads a signing.key file: an Ed25519 seed as 64 hex digits and a newline."""
    text = _read(pathlib.Path(file), secret=True).strip()
    if re.fullmatch(rb"[0-9A-Fa-f]{64}", text) is None:
        raise ProfileError(f"{file} is not a key of 64 hex digits")
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.decode()))


def _read(path: pathlib.Path, *, secret: bool = False, bytes_max: int = _FILE_BYTES_MAX) -> bytes:
    """Reads a regular file. A secret must not be readable for everybody; this is checked on the
    open file, so that nobody can exchange it in between."""
    with path.open("rb") as opened:
        mode = os.fstat(opened.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise ProfileError(f"{path} is not a regular file")
        if secret and os.name == "posix" and mode & 0o007 != 0:
            what = "is a secret, and everybody may access it: run chmod o= on it"
            raise ProfileError(f"{path} {what}")
        content = opened.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise ProfileError(f"{path} is too long")
    return content
