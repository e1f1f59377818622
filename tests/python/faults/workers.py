"""The workers that the matrix is run over. Another one joins by one line here."""

from __future__ import annotations

from typing import Any

WORKERS: dict[str, dict[str, Any]] = {
    "python thread": {},
}
"""The arguments of `connect` that choose each of them."""
