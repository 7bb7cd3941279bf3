"""Submits a meter reading and a load profile, and verifies their receipts.

Usage: submit.py PROFILE METER START, for instance: submit.py profile.yaml meter-1 2026-11-01T00:00Z
"""

import sys
from datetime import datetime, timedelta

from bss_client import (
    Client,
    ProfileValue,
    Quality,
    load_profile,
    meter_reading,
    raise_objection,
    read_profile,
)

profile, meter = read_profile(sys.argv[1]), sys.argv[2]
start, hour = datetime.fromisoformat(sys.argv[3].replace("Z", "+00:00")), timedelta(hours=1)
reading = meter_reading(
    owner_id=profile.id, meter_id=meter, start=start, interval=hour, imported_wh=412
)
values = [ProfileValue(imported_wh=300), None, ProfileValue(0, 1250, Quality.ESTIMATED)]
load = load_profile(
    owner_id=profile.id, meter_id=meter, start=start + hour, interval=hour, values=values
)
with Client(profile) as client:
    submission = client.sign(reading, load)  # keep it: after a failure submit the same one again
    answer = client.submit(submission)
    for record, outcome in zip(submission.records, answer.outcomes, strict=True):
        raise_objection(outcome)
        facts = client.get_receipt(client.record_hash(record)).facts
        print(facts.record_hash.hex(), "is in block", facts.height, "of", facts.time)
