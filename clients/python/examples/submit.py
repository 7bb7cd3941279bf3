"""Submits a meter reading and a load profile, keeps a receipt, and verifies it offline.

Usage: submit.py PROFILE METER START, for instance: submit.py profile.yaml meter-1 2025-11-01T00:00Z
"""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import bss_client as bss
from bss_client import verify

profile, meter, hour = bss.read_profile(sys.argv[1]), sys.argv[2], timedelta(hours=1)
start = datetime.fromisoformat(sys.argv[3].replace("Z", "+00:00")).astimezone(timezone.utc)
reading = bss.meter_reading(
    owner_id=profile.id, meter_id=meter, start=start, interval=hour, imported_wh=412
)
values = [bss.ProfileValue(imported_wh=300), None, bss.ProfileValue(0, 1250, bss.Quality.ESTIMATED)]
load = bss.load_profile(
    owner_id=profile.id, meter_id=meter, start=start + hour, interval=hour, values=values
)
with bss.Client(profile) as client:
    submission, hash = client.sign(reading, load), client.record_hash(reading)
    # Keep it until the receipts are there: after a failure submit the same one again.
    Path(f"submission-{hash.hex()}.bin").write_bytes(submission.SerializeToString())
    bss.or_raise(client.submit(submission))
    receipt = client.get_receipt(hash).receipt
    Path("receipt.json").write_text(verify.receipt_to_json(receipt))

# Years later, without a connection: all that is trusted is the genesis file.
kept = verify.receipt_from_json(Path("receipt.json").read_text())
facts = verify.verify_receipt(kept, profile.genesis, reading)
print(facts.record_hash.hex(), "is in block", facts.height, "of", facts.time)
