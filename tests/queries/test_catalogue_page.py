"""The catalogue page is made from the queries, and is current."""

from pathlib import Path

import pytest

from governance.catalog import Check, load_checks, load_facts
from governance.catalogue_page import COMMAND, PAGE, render, write
from governance.model import Language
from governance.settings import ROOT

QUERIES = ROOT / "queries"
CHECKS = list(load_checks(QUERIES).values())


def section(check: Check) -> str:
    """Return the part of the page that speaks of one check."""
    rest = render(QUERIES).split(f"\n### {check.id}\n", 1)[1]
    return rest.split("\n### ", 1)[0].split("\n## ", 1)[0]


def test_the_page_is_current() -> None:
    found = (QUERIES / PAGE).read_text("utf-8")
    assert found == render(QUERIES), f"run `{COMMAND}`"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
class TestEverySection:
    def test_says_everything_in_every_language(self, check: Check) -> None:
        page = section(check)
        texts = (
            *(check.title, check.question, check.population, check.remediation),
            *check.reasons.values(),
        )
        for text in texts:
            for language in Language:
                assert text[language].replace("|", r"\|") in page

    def test_lists_controls_parameters_and_reason_codes(self, check: Check) -> None:
        page = section(check)
        assert ", ".join(check.controls) in page
        for name, meaning in check.parameters.items():
            assert f"| `{name}` | {meaning} |" in page
        for code in check.reasons:
            assert f"| `{code}` |" in page

    def test_leads_to_a_file_that_exists(self, check: Check) -> None:
        link = f"checks/{check.id}.sql"
        assert f"]({link})" in section(check)
        assert (QUERIES / link).is_file()


def test_every_check_stands_in_the_overview_most_severe_first() -> None:
    overview = render(QUERIES).split("\n## ", 1)[0]
    places = [overview.index(f"[{check.id}](#{check.id})") for check in CHECKS]
    assert places == sorted(places)


def test_every_derived_table_is_named() -> None:
    page = render(QUERIES)
    for fact in load_facts(QUERIES):
        assert f"| `{fact.id}` | {fact.purpose} |" in page


def test_a_bar_in_a_sentence_does_not_break_the_table(tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    text = (QUERIES / "checks" / "ghost_grants.sql").read_text("utf-8")
    bared = text.replace("both exist.", "both | exist.")
    assert bared != text
    (tmp_path / "checks" / "ghost_grants.sql").write_text(bared, "utf-8")
    assert r"both \| exist." in render(tmp_path)


def test_the_page_is_written_beside_the_queries(tmp_path: Path) -> None:
    page = write(tmp_path)
    assert page == tmp_path / "README.md"
    assert page.read_text("utf-8") == render(tmp_path)
