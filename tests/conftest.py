"""Fixtures shared by every test. No test needs a network, a secret or the clock."""

import os
import time
from pathlib import Path

import pytest

from tests.company import Company
from tests.demo_company import demo

__all__ = ["company", "demo"]

# Far from UTC on purpose, so that a date taken in the host's zone comes out wrong.
os.environ["TZ"] = "America/New_York"
time.tzset()


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """Return a company with nobody in it."""
    return Company(tmp_path)
