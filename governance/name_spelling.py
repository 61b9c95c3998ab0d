"""How a person's name may be spelt in a login: pinyin, order, initials.

Readings of surnames are those people use: 曾 is Zeng and 单 is Shan, where a dictionary
of words reads ceng and dan.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

from pypinyin import lazy_pinyin

_SURNAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "单": ("shan",),
        "單": ("shan",),
        "曾": ("zeng",),
        "仇": ("qiu",),
        "解": ("xie",),
        "区": ("ou",),
        "區": ("ou",),
        "查": ("zha",),
        "朴": ("piao",),
        "盖": ("ge", "gai"),
        "蓋": ("ge", "gai"),
        "缪": ("miao",),
        "繆": ("miao",),
        "翟": ("zhai", "di"),
        "乐": ("yue", "le"),
        "樂": ("yue", "le"),
        "覃": ("qin", "tan"),
        "尉": ("wei",),
        "冼": ("xian",),
        "洗": ("xian",),
        "郇": ("xun", "huan"),
        "繁": ("po",),
        "员": ("yun",),
        "員": ("yun",),
        "黑": ("he",),
        "秘": ("bi",),
        "折": ("she",),
        "召": ("shao",),
        "种": ("chong",),
        "宓": ("mi", "fu"),
        "谌": ("chen", "shen"),
        "諶": ("chen", "shen"),
        "祭": ("zhai",),
        "能": ("nai",),
        "隗": ("wei", "kui"),
        "句": ("gou",),
        "么": ("yao",),
        "撒": ("sa",),
        "万": ("wan",),
        "萬": ("wan",),
        "长": ("zhang",),
        "石": ("shi",),
        "沈": ("shen",),
        "重": ("chong",),
        "钭": ("tou",),
        "万俟": ("moqi",),
        "尉迟": ("yuchi",),
        "尉遲": ("yuchi",),
        "单于": ("chanyu",),
        "單于": ("chanyu",),
        "长孙": ("zhangsun",),
        "長孫": ("zhangsun",),
        "澹台": ("tantai",),
        "令狐": ("linghu",),
    }
)
"""Surnames whose reading a dictionary of words gets wrong, the usual reading first."""
_DOUBLE_SURNAMES = frozenset(
    [
        "欧阳",
        "歐陽",
        "司马",
        "司馬",
        "上官",
        "诸葛",
        "諸葛",
        "夏侯",
        "东方",
        "東方",
        "皇甫",
        "慕容",
        "宇文",
        "公孙",
        "公孫",
        "司徒",
        "轩辕",
        "呼延",
        "端木",
        "南宫",
        "南宮",
        "独孤",
        "赫连",
        "拓跋",
        "鲜于",
        "百里",
        "东郭",
        "西门",
        "钟离",
        "申屠",
        "太史",
        "濮阳",
        "公冶",
        "宗政",
        "淳于",
        "闾丘",
        "司空",
        "公羊",
    ]
) | frozenset(name for name in _SURNAMES if len(name) == 2)
_HAN = re.compile("[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]+")
_LETTERS = re.compile("[a-z]+")
_LONGEST_NAME = 5
"""Han characters beyond which a run is a department or a remark and no name."""


@dataclass(frozen=True)
class Spellings:
    """Ways to write one name in letters, without blanks."""

    whole: frozenset[str]
    """Surname and given name in either order."""
    shortened: frozenset[str]
    """One of the two by its initials."""
    initials: frozenset[str]
    """Initials only."""


def han_names(text: str) -> list[str]:
    """Return the runs of Han characters short enough to be a name.

    李四(销售部) gives 李四 and 销售部; which of them is a name, nobody can tell.
    """
    return [run for run in _HAN.findall(text) if 2 <= len(run) <= _LONGEST_NAME]


def letters(text: str) -> list[str]:
    """Return the words of Latin letters, small and without accents."""
    plain = "".join(
        char
        for char in unicodedata.normalize("NFKD", text).casefold()
        if not unicodedata.combining(char)
    )
    return _LETTERS.findall(plain)


def spellings_of_han(name: str) -> Spellings:
    """Return how a Chinese name is written in letters, 吕 as lv, lyu and lu alike."""
    size = 2 if name[:2] in _DOUBLE_SURNAMES and len(name) > 2 else 1
    surname, given = name[:size], name[size:]
    readings = _SURNAMES.get(surname) or ("".join(lazy_pinyin(surname)),)
    syllables = lazy_pinyin(given)
    whole: set[str] = set()
    shortened: set[str] = set()
    initials: set[str] = set()
    first = "".join(syllable[:1] for syllable in syllables)
    options = [tuple(_umlauts(syllable)) for syllable in syllables]
    for family, parts in product(
        (spelt for reading in readings for spelt in _umlauts(reading)),
        product(*options),
    ):
        own = "".join(parts)
        whole |= {family + own, own + family}
        shortened |= {family[0] + own, own + family[0], family + first, first + family}
        initials.add(family[0] + first)
    return Spellings(frozenset(whole), frozenset(shortened), frozenset(initials))


def spellings_of_words(words: list[str]) -> Spellings:
    """Return how a name of Latin words is written as one: Ada Li as adali, lia, ali."""
    if len(words) < 2:
        return Spellings(frozenset(words), frozenset(), frozenset())
    first, last = "".join(words[:-1]), words[-1]
    return Spellings(
        frozenset({first + last, last + first, "".join(reversed(words))}),
        frozenset({first[0] + last, last + first[0], first + last[0], last[0] + first}),
        frozenset({first[0] + last[0], last[0] + first[0]}),
    )


def _umlauts(syllable: str) -> Iterator[str]:
    """Yield the ways to write a syllable, ü being v, yu or u."""
    yield syllable
    if syllable[:2] in ("lv", "nv"):
        yield syllable.replace("v", "yu", 1)
        yield syllable.replace("v", "u", 1)
