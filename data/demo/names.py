"""Names, addresses and places of people who do not exist."""

import random
from dataclasses import dataclass

DOMAIN = "northstar.example.com"
PARTNER_DOMAIN = "partner.example.net"
PRIVATE_DOMAIN = "mail.example.cn"

SURNAMES = (
    "王 wang|李 li|张 zhang|刘 liu|陈 chen|杨 yang|赵 zhao|黄 huang|周 zhou|吴 wu|"
    "徐 xu|孙 sun|胡 hu|朱 zhu|高 gao|林 lin|何 he|郭 guo|马 ma|罗 luo|梁 liang|"
    "宋 song|郑 zheng|谢 xie|韩 han|唐 tang|冯 feng|于 yu|董 dong|萧 xiao|程 cheng|"
    "曹 cao|袁 yuan|邓 deng|许 xu|傅 fu|沈 shen|曾 zeng|彭 peng|吕 lyu|苏 su|卢 lu|"
    "蒋 jiang|蔡 cai|贾 jia|丁 ding|魏 wei|薛 xue|叶 ye|阎 yan|余 yu|潘 pan|杜 du|"
    "戴 dai|夏 xia|钟 zhong|汪 wang|田 tian|任 ren|姜 jiang|范 fan|方 fang|石 shi|"
    "姚 yao|谭 tan|廖 liao|邹 zou|熊 xiong|金 jin|陆 lu|郝 hao|孔 kong|白 bai|"
    "崔 cui|康 kang|毛 mao|邱 qiu|秦 qin|江 jiang|史 shi|顾 gu|侯 hou|邵 shao|"
    "孟 meng|龙 long|万 wan|段 duan|雷 lei|钱 qian|汤 tang|尹 yin|黎 li|易 yi|"
    "常 chang|武 wu|乔 qiao|贺 he|赖 lai|龚 gong|文 wen|欧阳 ouyang|司马 sima"
)
GIVEN = (
    "伟 wei|芳 fang|娜 na|敏 min|静 jing|丽 li|强 qiang|磊 lei|军 jun|洋 yang|"
    "勇 yong|艳 yan|杰 jie|娟 juan|涛 tao|明 ming|超 chao|霞 xia|平 ping|刚 gang|"
    "婷 ting|辉 hui|玲 ling|鑫 xin|宇 yu|浩 hao|凯 kai|健 jian|俊 jun|帆 fan|"
    "雪 xue|琳 lin|晨 chen|倩 qian|梅 mei|博 bo|文 wen|斌 bin|颖 ying|欣 xin|"
    "佳 jia|嘉 jia|思 si|梦 meng|雨 yu|子 zi|一 yi|诗 shi|涵 han|晓 xiao|志 zhi|"
    "建 jian|国 guo|海 hai|春 chun|秀 xiu|玉 yu|红 hong|云 yun|天 tian|峰 feng|"
    "鹏 peng|飞 fei|波 bo|宁 ning|瑞 rui|泽 ze|睿 rui|彤 tong|怡 yi|悦 yue|然 ran|"
    "昊 hao|轩 xuan|琪 qi|瑶 yao|璐 lu|菲 fei|岚 lan|楠 nan|萌 meng|源 yuan|"
    "清 qing|远 yuan|哲 zhe|恒 heng|航 hang|旭 xu|东 dong"
)
FIRST_NAMES = (
    "Adam Aisha Alice Amara Anna Arjun Ben Bram Carla Chloe Daan Daniel David "
    "Diego Elena Emma Eva Farah Felix Grace Hana Hugo Ines Ivan Jack Jade Jasper "
    "Jonas Julia Kai Karim Lars Laura Leo Lina Lucas Maria Mark Maya Mei Mila "
    "Nadia Nina Noah Omar Oscar Paul Priya Ravi Rosa Sara Simon Sofia Tara Theo "
    "Tom Vera Wei Yara Zoe"
)
LAST_NAMES = (
    "Ahmed Bakker Becker Bennett Bose Brown Carter Chandra Costa Dekker Devi Diaz "
    "Evans Fischer Garcia Goh Grant Haas Hansen Hassan Ho Ibrahim Jacobs Jansen "
    "Kaur Keller Khan Koh Kumar Lee Lim Lopez Mehta Meyer Mohan Moreau Mulder Nair "
    "Ng Novak Ong Patel Pereira Peters Petit Pillai Quinn Rao Reid Ricci Rossi "
    "Santos Sharma Silva Singh Smit Tan Teo Turner Visser Vos Weber White Wong Yeo "
    "Young Zhang"
)


@dataclass(frozen=True)
class Place:
    """A city, as the CRM's log and as Microsoft write it, and its office's address."""

    log: str
    """Country-province-city in Chinese, as 登陆地点 has it."""
    city: str
    country: str
    office_ip: str
    home_net: str
    """First three numbers of the addresses people there have at home."""
    opens: int
    """Hour in Shanghai at which its day begins."""


SHANGHAI = Place("中国-上海-上海", "Shanghai", "CN", "203.0.113.10", "198.51.100", 9)
GUANGZHOU = Place("中国-广东-广州", "Guangzhou", "CN", "203.0.113.20", "198.51.100", 9)
BEIJING = Place("中国-北京-北京", "Beijing", "CN", "203.0.113.30", "198.51.100", 9)
CHENGDU = Place("中国-四川-成都", "Chengdu", "CN", "203.0.113.40", "198.51.100", 9)
NINGBO = Place("中国-浙江-宁波", "Ningbo", "CN", "203.0.113.50", "198.51.100", 9)
SINGAPORE = Place(
    "新加坡-新加坡-新加坡", "Singapore", "SG", "203.0.113.60", "192.0.2", 9
)
ROTTERDAM = Place(
    "荷兰-南荷兰-鹿特丹", "Rotterdam", "NL", "203.0.113.70", "192.0.2", 15
)
KIOSK_IP = "203.0.113.99"


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(pair.split()[0], pair.split()[1]) for pair in text.split("|")]


def chinese_name(rng: random.Random) -> tuple[str, str]:
    """Return a name in characters, and its pinyin as ``given.surname``.

    Common surnames come up more often, so that names repeat as they do in life.
    """
    surnames, given = _pairs(SURNAMES), _pairs(GIVEN)
    last = surnames[min(int(rng.expovariate(0.045)), len(surnames) - 1)]
    first = [rng.choice(given) for _ in range(1 if rng.random() < 0.22 else 2)]
    characters = last[0] + "".join(part[0] for part in first)
    return characters, f"{''.join(part[1] for part in first)}.{last[1]}"


def english_name(rng: random.Random) -> tuple[str, str]:
    """Return a name, and the part of an address before the @."""
    first, last = rng.choice(FIRST_NAMES.split()), rng.choice(LAST_NAMES.split())
    return f"{first} {last}", f"{first}.{last}".lower()
