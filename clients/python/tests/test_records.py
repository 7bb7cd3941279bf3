import pathlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from bss_client import (
    ProfileError,
    ProfileValue,
    Quality,
    Register,
    charging_session,
    document,
    load_profile,
    meter_reading,
    read_profile,
    read_signing_key,
)
from bss_client.bssv1 import record_pb2

START = datetime.fromtimestamp(1_793_491_200, timezone.utc)
HOUR = timedelta(hours=1)


def test_a_load_profile_keeps_absent_values_apart_from_zeros() -> None:
    encoded = load_profile(
        owner_id="home-1",
        meter_id="meter-1",
        start=START,
        interval=timedelta(minutes=15),
        values=[
            ProfileValue(5),
            ProfileValue(),
            None,
            ProfileValue(9, 9, Quality.ABSENT),
            ProfileValue(7, quality=Quality.SUBSTITUTED),
        ],
        register_end=Register(imported_wh=12),
    )
    record = record_pb2.Record.FromString(encoded)
    profile = record.load_profile
    assert [(run.count, run.quality) for run in profile.runs] == [(2, 2), (2, 1), (1, 4)]
    assert list(profile.imported_wh) == [5, 0, 7]
    assert not profile.exported_wh
    assert not profile.HasField("register_start")
    assert profile.register_end.imported_wh == 12
    assert record.time_unix_ms == 1_793_495_700_000


def test_a_record_draws_its_salt_and_names_its_parent() -> None:
    def made(parent: bytes | None = None) -> record_pb2.Record:
        encoded = document(owner_id="a", content=b"", media_type="text/plain", parent=parent)
        return record_pb2.Record.FromString(encoded)

    assert made().salt != made().salt
    assert len(made().salt) == 16
    assert made(b"p" * 32).parent == b"p" * 32


WRONG: dict[str, Callable[[], bytes]] = {
    "half a second": lambda: meter_reading(
        owner_id="a", meter_id="m", start=START, interval=timedelta(seconds=1.5)
    ),
    "a start between": lambda: load_profile(
        owner_id="a",
        meter_id="m",
        start=START + timedelta(milliseconds=1),
        interval=HOUR,
        values=[],
    ),
    "an end between": lambda: charging_session(
        owner_id="a",
        station_id="s",
        start=START,
        end=START + timedelta(microseconds=1),
        energy_wh=1,
    ),
    "a time without a zone": lambda: meter_reading(
        owner_id="a", meter_id="m", start=START.replace(tzinfo=None), interval=HOUR
    ),
    "a negative energy": lambda: meter_reading(
        owner_id="a", meter_id="m", start=START, interval=HOUR, imported_wh=-1
    ),
    "a name not in UTF-8": lambda: document(
        owner_id="a", content=b"", media_type="text/plain", name="\ud800"
    ),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG.keys())
def test_what_a_record_cannot_hold_is_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(ValueError):
        make()


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("", "not a profile"),
        ("[", "not a profile"),
        ("#" * 100_000, "too long"),
        ("id: a\nrole: participant", "consortium is missing"),
        ("id: 7", "id is not a text"),
        (
            "id: a\nrole: participant\nconsortium: c\naddresses: []\n"
            "tls: {certificate: a, key: b, ca: c}\nsigning_key: s",
            "addresses is not a list",
        ),
        (
            "id: a\nrole: participant\nconsortium: c\naddresses: [h:1]\n"
            "tls: {certificate: a, key: b}\nsigning_key: s",
            "tls.ca is missing",
        ),
        (
            "id: a\nrole: participant\nconsortium: c\naddresses: [h:1]\n"
            "tls: {certificate: a, key: b, ca: c}\nsigning_key: s\nname: b",
            "name is not a field",
        ),
    ],
)
def test_a_profile_says_what_is_wrong_with_it(
    tmp_path: pathlib.Path, text: str, wanted: str
) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text(text)
    with pytest.raises(ProfileError, match=wanted):
        read_profile(path)


def test_a_signing_key_is_a_secret_of_64_digits(tmp_path: pathlib.Path) -> None:
    def written(text: str, mode: int) -> pathlib.Path:
        path = tmp_path / "signing.key"
        path.unlink(missing_ok=True)
        path.touch(mode)
        path.write_text(text)
        path.chmod(mode)
        return path

    with pytest.raises(ProfileError, match="secret"):
        read_signing_key(written("11" * 32, 0o644))
    with pytest.raises(ProfileError, match="64 hex digits"):
        read_signing_key(written("1111", 0o600))
    key = read_signing_key(written("11" * 32 + "\n", 0o600))
    assert key.private_bytes_raw() == b"\x11" * 32


def test_arguments_of_another_type_are_refused_with_the_right_one() -> None:
    with pytest.raises(TypeError, match="timedelta"):
        meter_reading(owner_id="home-1", meter_id="m", start=START, interval=3600)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="datetime"):
        meter_reading(owner_id="home-1", meter_id="m", start=1_793_491_200, interval=HOUR)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="ProfileValue"):
        load_profile(owner_id="home-1", meter_id="m", start=START, interval=HOUR, values=[3])  # type: ignore[list-item]


def test_a_directory_is_no_profile(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ProfileError, match=r"profile\.yaml in it"):
        read_profile(tmp_path)
