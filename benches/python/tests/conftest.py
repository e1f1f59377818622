"""A world in which a measurement takes milliseconds: the same code, on fewer rows."""

from pathlib import Path

import pytest
from measure import data
from measure.timing import BusyThread, Effort, LagMeter

ITEMS = 200
LARGE = 1_000

# Ten idle connections in place of a thousand, forty tasks' selects, two passes.
TINY = Effort(share=0.01, passes=1)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database that cells on a file get a copy of."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        data.write_template(path)
    return path


@pytest.fixture(autouse=True)
def small_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer rows, and passes beside a thread and between ticks that need not be long."""
    make_small(monkeypatch)


def make_small(patch: pytest.MonkeyPatch) -> None:
    heavy = sum((a + b) % 7 == 0 for a in range(1, ITEMS + 1) for b in range(1, min(ITEMS, 800) + 1))
    for name, value in {"ITEMS": ITEMS, "LARGE": LARGE, "HEAVY_RESULT": heavy}.items():
        patch.setattr(data, name, value)
    patch.setattr(BusyThread, "PASS_SECONDS", 0.01)
    patch.setattr(LagMeter, "ENOUGH", 1)
    patch.setattr(LagMeter, "LEAST", 1)
