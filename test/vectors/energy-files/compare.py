#!/usr/bin/env python3
"""
Holds the expected values beside this file to what other readers make of the same files: nemreader
for nem12.csv, greenbutton-objects for green-button.xml, to the Wh and the interval. The tests of
bss hold its own readers to the same expected values. Run by hand:

    python3 -m venv /tmp/readers
    /tmp/readers/bin/pip install nemreader==0.9.2 greenbutton-objects==2024.7.11
    /tmp/readers/bin/python test/vectors/energy-files/compare.py
"""

import json
import logging
import sys
from datetime import timedelta, timezone
from decimal import Decimal
from pathlib import Path

from greenbutton_objects import enums
from greenbutton_objects.parse import parse_feed
from nemreader import read_nem_file

HERE = Path(__file__).parent
NEM_TIME = timezone(timedelta(hours=10))
WH_PER_UNIT = {"WH": 1, "KWH": 1000, "MWH": 1_000_000}
NEM_QUALITIES = {"A": "measured", "E": "estimated", "S": "substituted", "F": "substituted"}
ESPI_QUALITIES = {
    "valid": "measured",
    "raw": "measured",
    "validated": "measured",
    "estimatedUsingReferenceDay": "estimated",
    "estimatedUsingLinearInterpolation": "estimated",
    "manuallyEdited": "substituted",
}


def exact(number):
    """The decimal number that was meant by a float, which may be the result of a multiplication."""
    return round(Decimal(repr(number)), 9)


def nem12():
    for nmi, registers in read_nem_file(str(HERE / "nem12.csv")).readings.items():
        for suffix, readings in registers.items():
            direction = {"E": "imported", "B": "exported"}.get(suffix[0])
            for reading in readings:
                quality = NEM_QUALITIES.get(reading.quality_method[0])
                if direction is None or quality is None:
                    continue
                start = reading.t_start.replace(tzinfo=NEM_TIME)
                interval = reading.t_end - reading.t_start
                wh = exact(reading.read_value) * WH_PER_UNIT[reading.uom.upper()]
                yield (f"{nmi}-{suffix[1]}", direction, interval, start), (wh, quality)


def green_button():
    for point in parse_feed(str(HERE / "green-button.xml")):
        for meter_reading in point.meterReadings:
            kind = meter_reading.readingType
            if kind.uom is not enums.UomType.wattHours:
                continue
            forward = kind.flowDirection is enums.FlowDirectionType.forward
            direction = "imported" if forward else "exported"
            for reading in meter_reading.intervalReadings:
                qualities = [quality.quality.name for quality in reading.readingQualities]
                quality = ESPI_QUALITIES[qualities[0]] if qualities else "measured"
                period = reading.timePeriod
                meter = point.link_self.rsplit("/", 1)[1]
                key = (meter, direction, period.duration, period.start)
                yield key, (exact(reading.value), quality)


def in_seconds(found):
    values = {}
    for (meter, direction, interval, start), value in found:
        key = (meter, direction, int(interval.total_seconds()), int(start.timestamp()))
        assert key not in values, f"{key} twice"
        values[key] = value
    return values


def expected(name):
    values = {}
    for series in json.loads((HERE / name).read_text()):
        for start, wh, quality in series["values"]:
            key = (series["meter"], series["direction"], series["intervalS"], start)
            values[key] = (Decimal(wh), quality)
    return values


def compare(reader, found, name):
    theirs, ours = in_seconds(found), expected(name)
    differences = sorted(
        key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key)
    )
    for key in differences[:10]:
        print(f"  {key}: {reader} {theirs.get(key)}, expected {ours.get(key)}")
    total = sum(wh for wh, _ in theirs.values())
    print(f"{name}: {reader} {len(theirs)} values, {total} Wh; {len(differences)} differ")
    return len(differences) == 0 and len(ours) > 0


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    checks = [
        compare("nemreader", nem12(), "nem12.expected.json"),
        compare("greenbutton-objects", green_button(), "green-button.expected.json"),
    ]
    sys.exit(0 if all(checks) else 1)
