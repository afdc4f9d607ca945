"""The normal form of a company's name: what is left when legal form, spelling habits and branch are taken away.

Two names with the same normal form are written differently, not different. Whether they are one company is decided by
the rules, never here: 山田製作所 exists in every prefecture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from orchestration.identity.characters import fold_kana, plain, without_accents


@dataclass(frozen=True)
class CompanyName:
    """`name` without legal form and branch; `branch` is empty for a head office."""

    name: str
    branch: str = ""

    def __str__(self) -> str:
        return f"{self.name}/{self.branch}" if self.branch else self.name


# After `plain`: NFKC has made ㈱ (株) and ㍿ 株式会社. The long ones first, so that no part of one is left over.
_JAPANESE_FORMS = (
    "特定非営利活動法人", "地方独立行政法人", "国立研究開発法人", "公益社団法人", "公益財団法人", "一般社団法人",
    "一般財団法人", "社会医療法人", "医療法人社団", "医療法人財団", "社会福祉法人", "独立行政法人", "国立大学法人",
    "公立大学法人", "農事組合法人", "企業組合法人", "特定目的会社", "株式会社", "有限会社", "合同会社", "合資会社",
    "合名会社", "相互会社", "医療法人", "学校法人", "宗教法人", "社団法人", "財団法人", "監査法人", "税理士法人",
    "弁護士法人", "司法書士法人", "社労士法人", "npo法人", "有限責任事業組合", "事業協同組合", "協同組合",
)  # fmt: skip
_ABBREVIATED = r"\((?:株|有|同|合|資|名|社|財|医|学|福|特非|相|独|一社|一財|公社|公財|監|税|弁|司)\)"
_CUT_FORMS = r"(?:(?:^|(?<=\s))(?:カ\)|ユ\)|ド\)|メ\)|シ\))|(?:\(カ|\(ユ|\(ド)$)"
"""As bank transfers write them: カ)ヤマダ, ヤマダ(カ."""
_JAPANESE = re.compile("|".join([*(re.escape(form) for form in _JAPANESE_FORMS), _ABBREVIATED, _CUT_FORMS]))

_WESTERN_FORMS = (
    r"inc|incorporated|ltd|limited|llc|llp|lp|co|company|corp|corporation|kk|gk|yk|plc|gmbh|ag|kg|kgaa|ohg|ug|mbh|se|sa|sas|sasu|sarl|"
    r"bv|nv|oy|oyj|ab|as|aps|asa|spa|srl|sl|slu|pte|pty|pvt|sdn|bhd|pjsc|jsc|ooo|zrt|kft|doo|sro|"
    r"kabushiki kaisha|kabushiki gaisha|yugen kaisha|yugen gaisha|godo kaisha|goudou kaisha"
)
_DOTTED = re.compile(r"\b((?:[a-z]\.){1,4}[a-z]?)(?![a-z])")
_SLASHED = re.compile(r"\b(a/s|s/a|k/k)\b")
_WESTERN = re.compile(rf"(?<![a-z0-9])(?:{_WESTERN_FORMS})(?![a-z0-9])")
_LEADING_FORM = re.compile(r"^(?:kk|gk|yk|kabushiki kaisha|kabushiki gaisha|pt|ooo)\s+")
_REMARK = re.compile(r"\((?:旧|元|former|formerly|old|ex|現)[^()]*\)|[【\[〔][^】\]〕]*[】\]〕]")
_READING = re.compile(r"\([\u3041-\u3096\u30a1-\u30fcー・\s]+\)")

_PLACES = (
    "北海道|青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|東京|神奈川|新潟|富山|石川|福井|山梨|長野|岐阜|静岡|愛知|三重|滋賀|"
    "京都|大阪|兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分|宮崎|鹿児島|沖縄|札幌|旭川|函館|"
    "帯広|釧路|苫小牧|八戸|盛岡|仙台|郡山|いわき|水戸|つくば|宇都宮|高崎|前橋|さいたま|大宮|川越|所沢|越谷|船橋|柏|松戸|新宿|渋谷|池袋|"
    "品川|銀座|丸の内|日本橋|八重洲|上野|秋葉原|五反田|六本木|赤坂|虎ノ門|立川|八王子|町田|横浜|川崎|相模原|厚木|藤沢|横須賀|小田原|"
    "長岡|上越|金沢|松本|甲府|沼津|三島|富士|浜松|名古屋|豊田|豊橋|岡崎|一宮|四日市|津|大津|草津|梅田|難波|本町|堺|東大阪|神戸|尼崎|"
    "西宮|姫路|加古川|倉敷|福山|呉|下関|松江|米子|高松|丸亀|松山|今治|新居浜|北九州|小倉|博多|久留米|那覇|"
    "関東|関西|近畿|東海|中部|中国|四国|九州|東北|北陸|信越|甲信越|北関東|南関東|首都圏|西日本|東日本|中日本|北日本|南日本|"
    "東部|西部|南部|北部|中央|城東|城西|城南|城北|多摩|湘南|海外|米国|上海|北京|香港|台北|ソウル|シンガポール|ニューヨーク|ロンドン|"
    r"第[一二三四五六七八九十0-9]+"
)
# A word before one of these is a branch of the company, with or without a space in front.
_BRANCH_WORDS = "支店|営業所|事業所|支社|支部|支局|出張所|駐在所|分室|営業部支店|サービスステーション"
# These also end names of companies (山田研究所): a branch only after a space, a legal form or a known place.
_LOOSE_BRANCH_WORDS = (
    "工場|製造所|研究所|センター|オフィス|事務所|物流センター|配送センター|サービスセンター|店|事業部|ラボ"
)
_ANY_BRANCH = rf"(?:{_BRANCH_WORDS}|{_LOOSE_BRANCH_WORDS})"
_BRANCH_ALONE = re.compile(rf"^(?P<branch>\S{{0,20}}?{_ANY_BRANCH})(?P<rest>(?:\s.*)?)$")
_SPACED_BRANCH = re.compile(rf"^(?P<name>.+?)[\s・]+(?P<branch>\S{{1,20}}?{_ANY_BRANCH})(?:\s.*)?$")
_PLACED_BRANCH = re.compile(
    rf"^(?P<name>.+?)(?P<branch>(?:{_PLACES})(?:第[一二三四五六七八九十0-9]+|[東西南北中]|中央)?{_ANY_BRANCH})(?:\s.*)?$"
)
_UNPLACED_BRANCH = re.compile(rf"^.{{3,}}(?:{_BRANCH_WORDS})$")
_HEAD_OFFICE = re.compile(r"[\s・,/-]*(?:(?:東京|大阪|名古屋|京都)?(?:本社|本店|本部)|head office|headquarters|hq)\s*$")
_LATIN_BRANCH = re.compile(
    r"^(?P<name>.+?)[\s,/(-]+(?P<branch>[a-z0-9]+(?: [a-z0-9]+)? ?(?:branch|sales office|regional office|office|factory|plant))\)?$"
)
_DROPPED = re.compile(r"[\s・･.,'’`\"“”「」『』()\[\]/:;!?~〜*＊•\-]+")
_AMPERSAND = re.compile(r"\s*[&＆+]\s*")


def normalize_company(value: str | None) -> CompanyName | None:
    """Normal form of a company's name, or None when nothing but a legal form or signs is left.

    >>> str(normalize_company("㈱山田製作所　大阪支店"))
    '山田製作所/大阪支店'
    """
    if not value:
        return None
    return _normalize(value)


@lru_cache(maxsize=65_536)
def _normalize(value: str) -> CompanyName | None:
    text = without_accents(plain(value))
    text = _READING.sub("", _REMARK.sub("", text)).strip()
    head, tail = _split_at_legal_form(_HEAD_OFFICE.sub("", text))
    name, branch = (head, tail) if tail else _split_branch(head)
    name = _squeeze(_western(name))
    if not name:
        return None
    return CompanyName(name, _squeeze(branch))


def _split_at_legal_form(text: str) -> tuple[str, str]:
    """(name, branch). What follows a legal form in the middle is a branch when it reads like one: 山田株式会社大阪支店."""
    found = _JAPANESE.search(text)
    if found and found.start() > 0:
        after = _BRANCH_ALONE.match(text[found.end() :].strip())
        if after:
            return _JAPANESE.sub(" ", text[: found.start()]).strip(), after["branch"]
    return _JAPANESE.sub(" ", text).strip(), ""


def _split_branch(text: str) -> tuple[str, str]:
    for shape in (_SPACED_BRANCH, _PLACED_BRANCH, _LATIN_BRANCH):
        found = shape.match(text)
        if found:
            return found["name"].strip(), found["branch"]
    # A branch whose place is not known: where the name ends cannot be told, so the whole stays apart from all others.
    return (text, text) if _UNPLACED_BRANCH.match(text) else (text, "")


def _western(name: str) -> str:
    """Western legal forms taken from the end (Co., Ltd.), and K.K. also from the front."""
    name = _SLASHED.sub(lambda m: m[0].replace("/", ""), _DOTTED.sub(lambda m: m[0].replace(".", ""), name))
    words = _DROPPED.sub(" ", _AMPERSAND.sub(" and ", name)).strip()
    words = _LEADING_FORM.sub("", words)
    while True:
        shorter = re.sub(rf"\s+(?:and\s+)?{_WESTERN.pattern}$", "", words).strip()
        if shorter == words:
            break
        words = shorter
    return re.sub(r"^the\s+(?=\S)", "", words)


def _squeeze(text: str) -> str:
    return fold_kana(_DROPPED.sub("", text))
