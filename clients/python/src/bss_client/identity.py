"""What a certificate's one URI name says: bss://CONSORTIUM/ROLE/ID."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cryptography import x509

_PATTERN = re.compile(
    r"bss://([A-Za-z0-9._-]{1,64})"
    r"/(manager|storage|participant|auditor|operator|invited)/([A-Za-z0-9._-]{1,64})"
)


@dataclass(frozen=True)
class Identity:
    """Who a certificate is for."""

    consortium: str
    role: str
    id: str

    def __str__(self) -> str:
        return f"{self.role} {self.id} of {self.consortium}"

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Identity:
        """Raises ValueError for a certificate that is for nobody."""
        uris = names_of(certificate, x509.UniformResourceIdentifier)
        if len(uris) != 1:
            raise ValueError(f"it carries {len(uris)} URI names instead of one")
        match = _PATTERN.fullmatch(uris[0])
        if match is None:
            raise ValueError("its URI name is not bss://<consortium>/<role>/<id>")
        return cls(*match.groups())


def names_of(
    certificate: x509.Certificate,
    kind: type[x509.UniformResourceIdentifier] | type[x509.DNSName] | type[x509.IPAddress],
) -> list[str]:
    """A certificate's alternative names of a kind."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(each) for each in names.get_values_for_type(kind)]
