"""The client of a bss-node consortium: it submits records, reads them, watches the blocks and
checks what comes back.

    profile = read_profile("profile.yaml")
    with Client(profile) as client:
        reading = meter_reading(owner_id=profile.id, ...)
        submission = client.sign(reading)
        or_raise(client.submit(submission))
        receipt = client.get_receipt(client.record_hash(reading))

Any manager answers any call. If one cannot be reached, is stopping or lacks peers, the client goes
on to the next one with the same bytes. That is safe: a record that is on the ledger already gets
its first place. So keep the submission until the receipts are there (`SerializeToString()` gives
its bytes, `Submission.FromString` reads them) and submit the same one again after a failure. A
record that is built anew has another salt and is another record.

An error is a `BssError` with the stable reason that docs/errors.md explains, or an `UntrueAnswer`
if a manager's answer does not prove what it claims. `bss_client.verify` checks receipts, proofs and
blocks without any connection; `bss_client.bssv1` has the messages of the API.
"""

from bss_client.bssv1.broadcast_pb2 import WAIT_FOR_ACCEPTED, WAIT_FOR_COMMITTED
from bss_client.bssv1.record_pb2 import Submission
from bss_client.client import Client
from bss_client.errors import BssError, UntrueAnswer
from bss_client.profile import Profile, ProfileError, read_profile, read_signing_key
from bss_client.read import LedgerRecord, TreeHead, VerifiedReceipt
from bss_client.records import (
    ProfileValue,
    Quality,
    Register,
    charging_session,
    document,
    energy_trade,
    load_profile,
    meter_reading,
    new_submission,
    sign_trade,
    trade_terms,
)
from bss_client.refusals import or_raise, raise_objection, refusals
from bss_client.statement import Statement
from bss_client.stream import SubmissionOutcome

__all__ = [
    "WAIT_FOR_ACCEPTED",
    "WAIT_FOR_COMMITTED",
    "BssError",
    "Client",
    "LedgerRecord",
    "Profile",
    "ProfileError",
    "ProfileValue",
    "Quality",
    "Register",
    "Statement",
    "Submission",
    "SubmissionOutcome",
    "TreeHead",
    "UntrueAnswer",
    "VerifiedReceipt",
    "charging_session",
    "document",
    "energy_trade",
    "load_profile",
    "meter_reading",
    "new_submission",
    "or_raise",
    "raise_objection",
    "read_profile",
    "read_signing_key",
    "refusals",
    "sign_trade",
    "trade_terms",
]
