import pathlib
from collections.abc import Iterator

import pytest
from world import World


@pytest.fixture
def world(tmp_path: pathlib.Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()
