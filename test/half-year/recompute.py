"""Works the settlement of half a year out anew from the data, and compares it with what
`run.js` wrote. Shares no code and no library with it.

    python recompute.py DATA_DIRECTORY OUT_DIRECTORY
"""
import json
import sys
from datetime import datetime, timezone
from decimal import ROUND_HALF_EVEN, Decimal, getcontext
from fractions import Fraction
from math import floor
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas

getcontext().prec = 60
DATA, OUT = Path(sys.argv[1]), Path(sys.argv[2])
ORIGIN = int(datetime(2016, 8, 1, 7, tzinfo=timezone.utc).timestamp())
ZONE = ZoneInfo("America/Los_Angeles")


def meters() -> pandas.DataFrame:
    """Whole Wh of each home and hour: the sum up to each hour is rounded, and not the hour."""
    panels = pandas.read_csv(DATA / "homes_fontana_pv_kw.csv", dtype=str).set_index("building")
    rows = pandas.read_csv(DATA / "homes_fontana_hourly.csv", dtype=str)
    made = []
    for building, of_home in rows.groupby("building", sort=False):
        power = Fraction(panels.loc[building, "pv_nominal_power_kw"])
        load = whole_sums(Fraction(text) * 1000 for text in of_home["non_shiftable_load"])
        sun = whole_sums(Fraction(text) * power for text in of_home["solar_generation"])
        net = [a - b for a, b in zip(load, sun)]
        made.append(
            pandas.DataFrame(
                {
                    "home": building.lower().replace("_", "-"),
                    "start": [ORIGIN + (int(row) - 1) * 3600 for row in of_home["row"]],
                    "imported": [max(each, 0) for each in net],
                    "exported": [max(-each, 0) for each in net],
                }
            )
        )
    return pandas.concat(made)


def whole_sums(energies):
    total, before, whole = Fraction(0), 0, []
    for energy in energies:
        total += energy
        rounded = floor(total + Fraction(1, 2))
        whole.append(rounded - before)
        before = rounded
    return whole


def cleared(hour: pandas.DataFrame, turn: int):
    """Who sells how much to whom in an hour; the homes are in the order of the data."""
    homes = hour[["home", "imported", "exported"]].values.tolist()
    turn %= len(homes)
    homes = homes[turn:] + homes[:turn]
    surplus = [(home, out) for home, _, out in homes if out > 0]
    need = [(home, taken) for home, taken, _ in homes if taken > 0]
    traded = min(sum(wh for _, wh in surplus), sum(wh for _, wh in need))
    if traded == 0:
        return
    sellers, buyers = shared(surplus, traded), shared(need, traded)
    position, left = 0, buyers[0][1]
    for seller, wanted in sellers:
        while wanted > 0:
            part = min(wanted, left)
            if part > 0:
                yield seller, buyers[position][0], part
            wanted, left = wanted - part, left - part
            if left == 0:
                position += 1
                left = buyers[position][1] if position < len(buyers) else 0


def shared(parts, total):
    whole = sum(wh for _, wh in parts)
    exact = [Fraction(wh * total, whole) for _, wh in parts]
    given = [floor(each) for each in exact]
    rest = sorted(range(len(parts)), key=lambda i: given[i] - exact[i])
    for i in rest[: total - sum(given)]:
        given[i] += 1
    return [(home, wh) for (home, _), wh in zip(parts, given)]


def to_grid_price(start: int) -> Decimal:
    local = datetime.fromtimestamp(start, ZONE)
    if local.weekday() >= 5 and 10 <= local.hour < 14:
        return Decimal("-0.0125")
    return Decimal("0.155") if 16 <= local.hour < 21 else Decimal("0.0605")


def statements(correction=None):
    frame = meters()
    prices = pandas.read_csv(DATA / "homes_fontana_tariff.csv", dtype=str).set_index("row")
    price_of = {
        ORIGIN + (int(row) - 1) * 3600: Decimal(price)
        for row, price in prices["electricity_pricing"].items()
    }
    trades = []
    for start, hour in frame.groupby("start", sort=False):
        millionths = (int(price_of[start] * 1_000_000) + 60_001) // 2
        for seller, buyer, energy in cleared(hour, start // 3600):
            money = Decimal(energy) * millionths / 10**9
            trades.append((seller, start, 0, energy, Decimal(0), money))
            trades.append((buyer, start, energy, 0, money, Decimal(0)))
    names = ["home", "start", "bought", "sold", "bought_money", "sold_money"]
    traded = pandas.DataFrame(trades, columns=names).groupby(["home", "start"]).sum()
    if correction is not None:
        at = (frame["home"] == correction["homeId"]) & (
            frame["start"] == correction["start_unix_s"]
        )
        assert at.sum() == 1
        frame.loc[at, "exported"] += correction["exportedWh"]
    frame = frame.set_index(["home", "start"]).join(traded).reset_index()
    for name in names[2:]:
        frame[name] = frame[name].where(frame[name].notna(), 0)
    frame["from_grid"] = frame["imported"] - frame["bought"]
    frame["to_grid"] = frame["exported"] - frame["sold"]
    frame["cost"] = [
        Decimal(int(wh)) / 1000 * price_of[start]
        for wh, start in zip(frame["from_grid"], frame["start"])
    ]
    frame["credit"] = [
        Decimal(int(wh)) / 1000 * to_grid_price(start)
        for wh, start in zip(frame["to_grid"], frame["start"])
    ]
    frame["day"] = [datetime.fromtimestamp(start, ZONE).date() for start in frame["start"]]
    made = {}
    for home, of_home in frame.groupby("home", sort=False):
        made[home] = [line(of_day) for _, of_day in of_home.groupby("day", sort=True)]
    return made, len(trades) // 2


def line(of_day: pandas.DataFrame):
    energy = {
        f"{name}_wh": int(of_day[name].sum())
        for name in ["imported", "exported", "bought", "sold", "from_grid", "to_grid"]
    }
    money = {
        "from_grid_cost": cents(of_day["cost"]),
        "bought_cost": cents(of_day["bought_money"]),
        "to_grid_credit": cents(of_day["credit"]),
        "sold_credit": cents(of_day["sold_money"]),
    }
    costs = money["from_grid_cost"] + money["bought_cost"]
    money["due"] = costs - money["to_grid_credit"] - money["sold_credit"]
    return {"start_unix_s": int(of_day["start"].min()), **energy, **money}


def cents(values) -> int:
    total = sum((Decimal(each) for each in values), Decimal(0))
    return int((total * 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def compare(name: str, own) -> int:
    """Prints each home's total, and how many lines differ."""
    wrong = 0
    stated = json.loads((OUT / name).read_text())
    assert len(stated) == len(own)
    for statement in stated:
        days = own[statement["participant"]]
        assert len(days) == len(statement["days"])
        for day, other in zip(days, statement["days"]):
            differing = {each for each in day if day[each] != other[each]}
            wrong += len(differing) > 0
            if differing:
                print("  differs:", statement["participant"], day, other)
        total = {each: sum(day[each] for day in days) for each in days[0] if "start" not in each}
        wrong += total != statement["total"]
        print(f"  {statement['participant']:12} {total['due'] / 100:10.2f} USD due")
    lines = sum(len(days) for days in own.values())
    print(f"{name}: {len(own)} homes, {lines} days, {wrong} lines differ")
    return wrong


before, trade_count = statements()
correction = json.loads((OUT / "correction.json").read_text())
after, _ = statements(correction)
wrong = compare("before.json", before) + compare("after.json", after)
old, new = (json.loads((OUT / name).read_text()) for name in ["before.json", "after.json"])
changed = [
    (was["participant"], day["start_unix_s"], day["due"] - then["due"])
    for was, now in zip(old, new)
    for then, day in zip(was["days"], now["days"])
    if {**then, "records_digest": ""} != {**day, "records_digest": ""}
]
print(f"{trade_count} trades; the correction {correction} changed {changed}")
sys.exit(1 if wrong else 0)
