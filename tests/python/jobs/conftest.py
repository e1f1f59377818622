"""What the tests of the job queue share."""

from __future__ import annotations

import pytest
import turso_jobs
from faces import Awaited, Face, Twins


@pytest.fixture(params=[Awaited(), Twins()], ids=["awaited", "twins"])
def face(request: pytest.FixtureRequest) -> Face:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="session", autouse=True)
def runtime_has_started() -> None:
    """The threads of the runtime belong to the process: they are there before the first test counts threads."""
    with pytest.raises(ValueError, match="file"):
        turso_jobs.connect_sync(":memory:")
