from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def edited(tmp_path: Path):
    """Write a shipped file with one passage replaced, and return its path."""

    def edit(folder: str, name: str, before: str, after: str) -> Path:
        text = files("casestrat.knowledge").joinpath(folder).joinpath(f"{name}.toml").read_text("utf-8")
        assert before in text, "the passage to replace is not in the file"
        path = tmp_path / f"{name}.toml"
        path.write_text(text.replace(before, after, 1), encoding="utf-8")
        return path

    return edit
