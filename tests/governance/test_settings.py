"""What gatebook.toml says."""

from pathlib import Path

import pytest

from governance.settings import (
    CONFIG_VARIABLE,
    DEMO_CONFIG,
    ROOT,
    Settings,
    SettingsError,
    default_config,
)


def written(folder: Path, text: str) -> Path:
    """Write a gatebook.toml."""
    path = folder / "gatebook.toml"
    path.write_text(text, "utf-8")
    return path


def test_an_empty_file_is_an_installation_without_sources(tmp_path: Path) -> None:
    settings = Settings.read(written(tmp_path, ""))
    assert settings.sources == {}
    assert settings.demo is False
    assert settings.policy == ROOT / "data" / "policy.toml"
    assert settings.owners is None
    assert settings.queries == ROOT / "queries"


def test_paths_are_relative_to_the_file_and_not_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'data = "d"\npolicy = "p.toml"\nowners = "o.csv"\n'
    path = written(tmp_path, text)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    settings = Settings.read(path)
    assert settings.folder == tmp_path
    assert settings.snapshots == tmp_path / "d" / "snapshots"
    assert settings.assessments == tmp_path / "d" / "assessments"
    assert (settings.policy, settings.owners) == (
        tmp_path / "p.toml",
        tmp_path / "o.csv",
    )


def test_a_config_named_from_the_working_folder_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "")
    monkeypatch.chdir(tmp_path)
    assert Settings.read(Path("gatebook.toml")).data == tmp_path / "gatebook-data"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    settings = Settings.read(written(tmp_path, 'data = "/srv/example"\n'))
    assert settings.data == Path("/srv/example")


def test_a_source_keeps_its_own_keys_apart(tmp_path: Path) -> None:
    text = '[sources.crm]\nconnector = "table"\ntitle = "客户系统"\nfiles = ["a.csv"]\n'
    source = Settings.read(written(tmp_path, text)).sources["crm"]
    assert (source.connector, source.title, source.operator) == (
        "table",
        "客户系统",
        None,
    )
    assert source.parameters == {"files": ["a.csv"]}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("colour = 1\n", "colour: Extra inputs are not permitted"),
        ('demo = "perhaps"\n', "demo: "),
        ("[sources.crm]\n", "sources.crm.connector: Field required"),
        ("sources = 1\n", "sources: "),
        ('[sources.CRM]\nconnector = "table"\n', "sources.CRM.*: .*small letters"),
        ('[sources."a b"]\nconnector = "table"\n', "small letters"),
        ('[sources."a:b"]\nconnector = "table"\n', "small letters"),
        (f'[sources.{"a" * 33}]\nconnector = "table"\n', "small letters"),
        ("sources = \n", "line 1"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_file_and_key(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError, match=f"{path}: .*{sentence}"):
        Settings.read(path)


@pytest.mark.parametrize("name", ["a", "crm", "old_crm", "crm2", "a" * 32])
def test_a_sources_name_is_small_letters_digits_and_underscores(
    tmp_path: Path, name: str
) -> None:
    text = f'[sources.{name}]\nconnector = "table"\n'
    assert list(Settings.read(written(tmp_path, text)).sources) == [name]


def test_an_unknown_time_zone_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, 'time_zone = "Asia/Nowhere"\n')
    with pytest.raises(SettingsError, match=r"time_zone: .*Asia/Nowhere"):
        Settings.read(path)


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no such file; .*cli\.py demo"):
        Settings.read(tmp_path / "gatebook.toml")


def test_a_file_in_another_encoding_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "gatebook.toml"
    path.write_bytes('organisation = "示例贸易"\n'.encode("gb18030"))
    with pytest.raises(SettingsError, match=r"gatebook\.toml: "):
        Settings.read(path)


def test_variable_then_working_folder_then_demo_decide_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
    assert default_config() == DEMO_CONFIG
    written(tmp_path, "")
    assert default_config() == Path("gatebook.toml")
    monkeypatch.setenv(CONFIG_VARIABLE, "/srv/example/gatebook.toml")
    assert default_config() == Path("/srv/example/gatebook.toml")


def test_the_register_is_a_file_unless_a_database_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.read(written(tmp_path, ""))
    monkeypatch.delenv("GATEBOOK_REGISTER", raising=False)
    assert settings.register_url == f"sqlite:///{settings.data}/register.sqlite"
    monkeypatch.setenv("GATEBOOK_REGISTER", "postgresql+psycopg://db.example.test/g")
    assert settings.register_url == "postgresql+psycopg://db.example.test/g"
