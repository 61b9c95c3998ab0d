"""A campaign under way, made once and copied for every test that changes it."""

from pathlib import Path

import pytest

from tests.company import Company
from tests.review import Review, copied, opened, staff


@pytest.fixture(scope="session")
def first_review(tmp_path_factory: pytest.TempPathFactory) -> Review:
    """Return the campaign that is copied; nobody answers it."""
    return opened(staff(Company(tmp_path_factory.mktemp("review"))))


@pytest.fixture
def review(first_review: Review, tmp_path: Path) -> Review:
    """Return an open campaign that belongs to the test alone."""
    return copied(first_review, tmp_path / "review")
