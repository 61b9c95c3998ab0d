"""Suggesting owners of accounts that nobody owns."""

from typing import Any

import polars as pl
import pytest

from governance.name_spelling import han_names, spellings_of_han
from governance.owner_suggestions import REASONS, suggest
from governance.schema import ACCOUNTS, IDENTITIES


def accounts(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"account_id": f"a{number}"} | row for number, row in enumerate(rows)],
        schema=ACCOUNTS.schema,
    )


def people(*names: str | dict[str, Any]) -> pl.DataFrame:
    rows = [
        {"identity_id": f"p{number}", "employment_status": "active"}
        | ({"display_name": name} if isinstance(name, str) else name)
        for number, name in enumerate(names)
    ]
    return pl.DataFrame(rows, schema=IDENTITIES.schema)


def suggested(account: dict[str, Any], *names: str | dict[str, Any]) -> list[Any]:
    rows = suggest(accounts(account), people(*names))
    return rows.select("identity_id", "because").rows()


def scores(account: dict[str, Any], *names: str | dict[str, Any]) -> dict[str, int]:
    rows = suggest(accounts(account), people(*names))
    return dict(rows.select("identity_id", "score").rows())


@pytest.mark.parametrize(
    "login", ["lisi", "si.li", "Li.Si@example.com", "lsi", "lis", "lisi02"]
)
def test_a_login_in_pinyin_suggests_the_person(login: str) -> None:
    assert suggested({"login": login}, "李四", "王伟") == [("p0", "pinyin")]


def test_nobody_is_suggested_for_an_account_like_nobody() -> None:
    for account in ({"login": "sales-desk"}, {"display_name": "客服1"}, {}):
        rows = suggest(accounts(account), people("李四", "王伟"))
        assert rows.is_empty()
        assert rows.columns == ["account_id", "identity_id", "score", "because"]


def test_two_people_of_one_name_are_both_suggested_and_score_less_than_one() -> None:
    account = {"display_name": "王伟"}
    both = scores(account, "王伟", "王伟")
    assert set(both) == {"p0", "p1"}
    assert both["p0"] == both["p1"] < scores(account, "王伟", "李四")["p0"]


@pytest.mark.parametrize(
    "written", ["王伟", " 王 伟 ", "王伟(销售部)", "王伟-已离职", "王伟 David"]
)
def test_a_name_is_recognised_whatever_stands_around_it(written: str) -> None:
    assert suggested({"display_name": written}, "王伟", "王芳") == [("p0", "same_name")]


def test_latin_names_are_the_same_in_either_order_case_and_accent() -> None:
    for written in ("Grace Rossi", "ROSSI, Grace", "Gráce Rossi"):
        assert suggested({"display_name": written}, "Grace Rossi", "Ada Li") == [
            ("p0", "same_name")
        ]


def test_an_abbreviated_latin_name_is_suggested_for_less() -> None:
    assert suggested({"login": "grossi"}, "Grace Rossi") == [("p0", "fuzzy_name")]
    short = scores({"login": "grossi"}, "Grace Rossi")["p0"]
    assert short < scores({"login": "grace.rossi"}, "Grace Rossi")["p0"]


def test_a_chinese_name_is_recognised_in_letters_and_the_other_way_round() -> None:
    assert suggested({"display_name": "Li Si"}, "李四") == [("p0", "pinyin")]
    assert suggested({"display_name": "李四"}, "Si Li")[0][0] == "p0"


def test_the_part_before_the_at_is_compared_across_domains() -> None:
    person = {"display_name": "李四", "email": "L.Four@example.com"}
    for account in ({"email": "l.four@old.example.net"}, {"login": "l.four"}):
        assert suggested(account, person) == [("p0", "email_local_part")]


def test_a_misspelt_name_is_suggested_and_a_different_one_is_not() -> None:
    assert suggested({"login": "zhangsanfang"}, "张三丰") == [("p0", "fuzzy_name")]
    assert suggested({"display_name": "Grace Rosi"}, "Grace Rossi") == [
        ("p0", "fuzzy_name")
    ]
    assert suggested({"login": "zhaoliubei"}, "张三丰") == []


def test_a_chinese_word_that_merely_sounds_like_a_name_suggests_nobody() -> None:
    assert suggested({"display_name": "销售8"}, "周晓") == []
    assert suggested({"display_name": "张三风光"}, "张三丰光") == [("p0", "pinyin")]
    assert suggested({"display_name": "张三方"}, "张三丰") == [("p0", "fuzzy_name")]


def test_digits_at_the_end_of_a_login_cost_a_little() -> None:
    whole = scores({"login": "lisi"}, "李四")["p0"]
    assert scores({"login": "lisi2"}, "李四")["p0"] == whole - 5


def test_the_strongest_reason_is_the_one_that_is_told() -> None:
    account = {"display_name": "李四", "login": "lisi", "email": "lisi@example.com"}
    person = {"display_name": "李四", "email": "lisi@example.com"}
    assert suggested(account, person) == [("p0", "same_name")]


def test_of_two_that_fit_alike_the_one_that_left_comes_second() -> None:
    gone = {"display_name": "王伟", "employment_status": "left"}
    assert [who for who, _ in suggested({"display_name": "王伟"}, gone, "王伟")] == [
        "p1",
        "p0",
    ]


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (3, 3), (9, 4)])
def test_no_account_gets_more_suggestions_than_the_limit(
    limit: int, count: int
) -> None:
    crowd = people("王伟", "王伟", "王伟", "王伟")
    rows = suggest(accounts({"display_name": "王伟"}), crowd, limit_per_account=limit)
    assert rows.height == count


def test_accounts_keep_their_order_and_reasons_are_the_declared_ones() -> None:
    rows = suggest(
        accounts({"login": "wang.wei"}, {"login": "lisi"}), people("李四", "王伟")
    )
    assert rows["account_id"].to_list() == ["a0", "a1"]
    assert set(rows["because"]) <= set(REASONS)
    assert rows["score"].is_between(0, 100).all()


def test_no_accounts_or_no_people_give_no_suggestions() -> None:
    assert suggest(ACCOUNTS.empty(), people("李四")).is_empty()
    assert suggest(accounts({"login": "lisi"}), IDENTITIES.empty()).is_empty()


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("单小明", "shanxiaoming"),
        ("曾国", "zengguo"),
        ("仇英", "qiuying"),
        ("解珍", "xiezhen"),
        ("区明", "ouming"),
        ("查明", "zhaming"),
        ("尉迟恭", "yuchigong"),
        ("单于明", "chanyuming"),
        ("欧阳明", "ouyangming"),
        ("万俟明", "moqiming"),
        ("覃明", "tanming"),
        ("覃明", "qinming"),
        ("吕明", "lvming"),
        ("吕明", "lyuming"),
    ],
)
def test_surnames_are_read_as_their_bearers_do(name: str, spelling: str) -> None:
    assert spelling in spellings_of_han(name).whole


def test_a_double_surname_is_not_taken_apart() -> None:
    assert "fouyang" in spellings_of_han("欧阳锋").shortened
    assert "yangfengo" not in spellings_of_han("欧阳锋").shortened


def test_a_long_run_of_characters_is_a_remark_and_no_name() -> None:
    assert han_names("李四 已经离职的旧账号") == ["李四"]
