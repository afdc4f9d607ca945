"""Folding of characters that mean the same: widths, old and new forms of kanji, dashes, kana.

Tables of characters only. What a word means (a legal form, an honorific) is not decided here.
"""

from __future__ import annotations

import re
import unicodedata

# The forms in parentheses of the 常用漢字表 (Cabinet notice of 2010-11-30, Agency for Cultural Affairs), each before the
# form in use today. Those that are compatibility ideographs are absent: NFKC folds them.
_OLD_FORMS = (
    "亞亜惡悪壓圧圍囲醫医爲為壹壱隱隠榮栄營営衞衛驛駅圓円鹽塩緣縁艷艶應応歐欧毆殴櫻桜奧奥橫横溫温穩穏假仮價価畫画會会繪絵壞壊懷懐"
    "槪概擴拡殼殻覺覚學学嶽岳樂楽渴渇罐缶卷巻陷陥勸勧寬寛關関歡歓觀観氣気歸帰龜亀僞偽戲戯犧犠舊旧據拠擧挙虛虚峽峡挾挟狹狭鄕郷"
    "曉暁區区驅駆勳勲薰薫徑径莖茎惠恵揭掲溪渓經経螢蛍輕軽繼継鷄鶏藝芸擊撃缺欠硏研縣県儉倹劍剣險険圈圏檢検獻献權権顯顕驗験嚴厳"
    "廣広效効恆恒黃黄鑛鉱號号國国黑黒碎砕濟済齋斎劑剤雜雑參参棧桟蠶蚕慘惨贊賛殘残絲糸齒歯兒児辭辞濕湿實実寫写釋釈壽寿收収從従"
    "澁渋獸獣縱縦肅粛處処緖緒敍叙將将稱称涉渉燒焼證証奬奨條条狀状乘乗淨浄剩剰疊畳繩縄壤壌孃嬢讓譲釀醸觸触囑嘱眞真寢寝愼慎盡尽"
    "圖図粹粋醉酔穗穂隨随髓髄樞枢數数瀨瀬聲声齊斉靜静竊窃攝摂專専淺浅戰戦踐践錢銭潛潜纖繊禪禅雙双壯壮爭争莊荘搜捜插挿巢巣曾曽"
    "瘦痩裝装總総騷騒增増藏蔵臟臓卽即屬属續続墮堕對対體体帶帯滯滞臺台瀧滝擇択澤沢擔担單単膽胆團団斷断彈弾遲遅癡痴蟲虫晝昼鑄鋳"
    "廳庁徵徴聽聴敕勅鎭鎮遞逓鐵鉄點点轉転傳伝燈灯當当黨党盜盗稻稲鬭闘德徳獨独讀読屆届貳弐惱悩腦脳霸覇拜拝廢廃賣売麥麦發発髮髪"
    "拔抜晚晩蠻蛮祕秘濱浜甁瓶拂払佛仏倂併竝並餠餅邊辺變変辨弁瓣弁辯弁步歩寶宝豐豊襃褒飜翻每毎萬万滿満麵麺默黙彌弥譯訳藥薬與与"
    "豫予餘余譽誉搖揺樣様謠謡來来賴頼亂乱覽覧龍竜兩両獵猟綠緑淚涙壘塁禮礼勵励戾戻靈霊齡齢曆暦歷歴戀恋鍊錬爐炉勞労郞郎樓楼錄録灣湾"
)
# Variants that tools and typists mix up in names of people, places and companies (人名・地名の異体字).
_NAME_VARIANTS = "髙高﨑崎嵜崎邉辺齊斉齋斉斎斉濵浜嶋島嶌島舘館冨富﨟臈栁柳曻昇桒桑槇槙檜桧淵渕渊渕籠篭舩船邨村埜野桺柳凜凛峯峰靑青淸清祐祐蘆芦條条舛桝﨔欅𠮷吉橘橘"
_SMALL_KANA = "ァアィイゥウェエォオャヤュユョヨッツヮワヵカヶケ"
_OLD_KANA = "ヱエヰイヲオヂジヅズ"

# The dashes that keyboards, PDFs and old code pages give for one another.
DASHES = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63\uff0d\u2500\u2501\u30fc\uff70\u3161\u4e00"
_DASHES_BUT_ONE = DASHES.replace("\u4e00", "")
_LONG_AFTER_KANA = re.compile(rf"(?<=[\u3041-\u3096\u30a1-\u30fa\u30fc])[{re.escape(_DASHES_BUT_ONE)}]")
_KANJI_ONE_AS_LONG = re.compile(r"(?<=[\u30a1-\u30fa])\u4e00(?=[\u30a1-\u30fa])")
_OTHER_DASH = re.compile(rf"[{re.escape(_DASHES_BUT_ONE.replace(chr(0x30FC), ''))}]")
_FINAL_LONG = re.compile(r"(?<=[\u30a1-\u30fa\u30fc]{3})\u30fc(?![\u30a1-\u30fa\u30fc])")
_VU = (("ヴァ", "バ"), ("ヴィ", "ビ"), ("ヴェ", "ベ"), ("ヴォ", "ボ"), ("ヴ", "ブ"))


def _pairs(text: str) -> dict[int, str]:
    """'亞亜惡悪' -> {亞: 亜, 惡: 悪}; identical pairs are dropped."""
    return {ord(old): new for old, new in zip(text[::2], text[1::2], strict=True) if old != new}


def _closed(table: dict[int, str]) -> dict[int, str]:
    """Follow chains (齋 -> 斎 -> 斉), so that one pass over a text is enough."""
    closed: dict[int, str] = {}
    for old, new in table.items():
        while ord(new) in table:
            new = table[ord(new)]
        closed[old] = new
    return closed


KANJI = _closed(_pairs(_OLD_FORMS) | _pairs(_NAME_VARIANTS))
KANA = _pairs(_SMALL_KANA) | _pairs(_OLD_KANA)


def plain(text: str) -> str:
    """NFKC, case folded, spaces single, kanji in today's form, long marks and dashes told apart. Kana keep their size."""
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    text = _LONG_AFTER_KANA.sub("ー", text)
    text = _KANJI_ONE_AS_LONG.sub("ー", text)
    return _OTHER_DASH.sub("-", text).translate(KANJI)


def fold_kana(text: str) -> str:
    """Katakana as one spelling: キャノン and キヤノン, サーバー and サーバ, ヴァ and バ. Vowels inside a word stay long."""
    for spelled, plain_spelling in _VU:
        text = text.replace(spelled, plain_spelling)
    return _FINAL_LONG.sub("", text).translate(KANA)


def without_accents(text: str) -> str:
    """Latin letters without diacritics; dakuten of kana are left alone."""
    if text.isascii():
        return text
    out: list[str] = []
    for letter in text:
        base = unicodedata.normalize("NFD", letter)
        out.append(base[0] if len(base) > 1 and "a" <= base[0] <= "z" else letter)
    return "".join(out).replace("ß", "ss").replace("ø", "o").replace("æ", "ae").replace("œ", "oe").replace("ł", "l")
