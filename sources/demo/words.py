"""Word lists for the demo company's names. Data only."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# kanji, kana (full-width katakana), romaji
FAMILY: tuple[tuple[str, str, str], ...] = tuple(
    (kanji, kana, romaji)
    for kanji, kana, romaji in (
        line.split()
        for line in """
佐藤 サトウ Sato|鈴木 スズキ Suzuki|高橋 タカハシ Takahashi|田中 タナカ Tanaka|伊藤 イトウ Ito|渡辺 ワタナベ Watanabe
渡邊 ワタナベ Watanabe|山本 ヤマモト Yamamoto|中村 ナカムラ Nakamura|小林 コバヤシ Kobayashi|加藤 カトウ Kato|吉田 ヨシダ Yoshida
山田 ヤマダ Yamada|佐々木 ササキ Sasaki|山口 ヤマグチ Yamaguchi|松本 マツモト Matsumoto|井上 イノウエ Inoue|木村 キムラ Kimura
斎藤 サイトウ Saito|齋藤 サイトウ Saito|林 ハヤシ Hayashi|清水 シミズ Shimizu|山崎 ヤマザキ Yamazaki|森 モリ Mori
池田 イケダ Ikeda|橋本 ハシモト Hashimoto|阿部 アベ Abe|石川 イシカワ Ishikawa|前田 マエダ Maeda|藤田 フジタ Fujita
小川 オガワ Ogawa|岡田 オカダ Okada|後藤 ゴトウ Goto|長谷川 ハセガワ Hasegawa|村上 ムラカミ Murakami|近藤 コンドウ Kondo
石井 イシイ Ishii|坂本 サカモト Sakamoto|遠藤 エンドウ Endo|青木 アオキ Aoki|藤井 フジイ Fujii|西村 ニシムラ Nishimura
福田 フクダ Fukuda|太田 オオタ Ota|三浦 ミウラ Miura|岡本 オカモト Okamoto|松田 マツダ Matsuda|中川 ナカガワ Nakagawa
中野 ナカノ Nakano|原田 ハラダ Harada|小野 オノ Ono|田村 タムラ Tamura|竹内 タケウチ Takeuchi|金子 カネコ Kaneko
和田 ワダ Wada|中山 ナカヤマ Nakayama|石田 イシダ Ishida|上田 ウエダ Ueda|森田 モリタ Morita|柴田 シバタ Shibata
酒井 サカイ Sakai|工藤 クドウ Kudo|横山 ヨコヤマ Yokoyama|宮崎 ミヤザキ Miyazaki|宮本 ミヤモト Miyamoto|内田 ウチダ Uchida
高木 タカギ Takagi|髙木 タカギ Takagi|安藤 アンドウ Ando|谷口 タニグチ Taniguchi|大野 オオノ Ono|丸山 マルヤマ Maruyama
""".strip()
        .replace("\n", "|")
        .split("|")
    )
)

GIVEN: tuple[tuple[str, str, str], ...] = tuple(
    (kanji, kana, romaji)
    for kanji, kana, romaji in (
        line.split()
        for line in """
翔太 ショウタ Shota|健一 ケンイチ Kenichi|大輔 ダイスケ Daisuke|拓也 タクヤ Takuya|直樹 ナオキ Naoki|誠 マコト Makoto
浩二 コウジ Koji|裕介 ユウスケ Yusuke|隆 タカシ Takashi|学 マナブ Manabu|悠斗 ユウト Yuto|蓮 レン Ren
陽介 ヨウスケ Yosuke|達也 タツヤ Tatsuya|亮 リョウ Ryo|和也 カズヤ Kazuya|洋平 ヨウヘイ Yohei|哲也 テツヤ Tetsuya
俊介 シュンスケ Shunsuke|正樹 マサキ Masaki|修 オサム Osamu|茂 シゲル Shigeru|豊 ユタカ Yutaka|純一 ジュンイチ Junichi
雄太 ユウタ Yuta|智也 トモヤ Tomoya|光 ヒカル Hikaru|晃 アキラ Akira|啓介 ケイスケ Keisuke|一郎 イチロウ Ichiro
美咲 ミサキ Misaki|陽子 ヨウコ Yoko|恵子 ケイコ Keiko|裕子 ユウコ Yuko|由美 ユミ Yumi|直美 ナオミ Naomi
真由美 マユミ Mayumi|愛 アイ Ai|彩 アヤ Aya|舞 マイ Mai|麻衣 マイ Mai|優子 ユウコ Yuko
智子 トモコ Tomoko|久美子 クミコ Kumiko|葵 アオイ Aoi|結衣 ユイ Yui|さくら サクラ Sakura|七海 ナナミ Nanami
千尋 チヒロ Chihiro|里奈 リナ Rina|香織 カオリ Kaori|明美 アケミ Akemi|京子 キョウコ Kyoko|理恵 リエ Rie
奈々 ナナ Nana|瞳 ヒトミ Hitomi|沙織 サオリ Saori|早紀 サキ Saki|典子 ノリコ Noriko|幸子 サチコ Sachiko
""".strip()
        .replace("\n", "|")
        .split("|")
    )
)

WESTERN_FAMILY = _words(
    "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Hoffmann Koch Bauer Richter Klein Wolf Neumann Dupont "
    "Durand Leroy Moreau Laurent Simon Lefèvre Roux Fournier Girard Smith Jones Taylor Brown Williams Wilson Evans "
    "Thomas Roberts Walker Wright Thompson Hughes Green García Martínez López Sánchez Pérez Rossi Russo Ferrari "
    "Bianchi Colombo Ricci Jansen Bakker Visser Smit Meijer Andersson Johansson Karlsson Nilsson Eriksson O'Brien "
    "Murphy Kelly Novák Svoboda Kowalski Nowak Wiśniewski Hansen Jensen Nielsen"
)
WESTERN_GIVEN = _words(
    "Anna Lukas Sophie Jonas Emma Felix Marie Paul Laura Max Julia Tim Sarah Leon Claire Hugo Camille Louis Manon "
    "Antoine Olivia Jack Amelia Harry Grace Oliver Ella George Lucía Hugo Carmen Javier Elena Marco Giulia Luca Sofia "
    "Daan Sanne Lars Ingrid Erik Astrid Sven Karin Peter Martin Nina David Katarzyna Piotr Freja Mads"
)

# Two of these make the stem of a company: kanji, reading.
STEM_KANJI: tuple[tuple[str, str], ...] = tuple(
    (word[0], word[1:])
    for word in _words(
        "東to 西sei 南nan 北hoku 大dai 三san 五go 八hachi 光ko 栄ei 和wa 協kyo 明mei 正sho 昭sho 新shin 日nichi 富fu 永ei 興ko "
        "信shin 共kyo 太tai 平hei 洋yo 海kai 陽yo 星sei 山san 川sen 泉sen 松sho 竹chiku 梅bai 桜o 藤to 丸maru 福fuku 宝ho 金kin "
        "銀gin 鉄tetsu 鋼ko 精sei 技gi 電den 機ki 誠sei 徳toku 豊ho 盛sei 旭kyoku 瑞zui 千sen 万man 成sei 友yu 弘ko 建ken 進shin"
    )
)
# Suffix of a Japanese company, its romaji, its industry.
JAPANESE_TRADE: tuple[tuple[str, str, str], ...] = (
    ("製作所", "seisakusho", "Manufacturing"),
    ("工業", "kogyo", "Manufacturing"),
    ("精機", "seiki", "Manufacturing"),
    ("電機", "denki", "Electronics"),
    ("エレクトロニクス", "electronics", "Electronics"),
    ("商事", "shoji", "Wholesale"),
    ("物産", "bussan", "Wholesale"),
    ("物流", "butsuryu", "Logistics"),
    ("運輸", "unyu", "Logistics"),
    ("建設", "kensetsu", "Construction"),
    ("工務店", "komuten", "Construction"),
    ("システムズ", "systems", "Information Technology"),
    ("ソリューションズ", "solutions", "Information Technology"),
    ("情報サービス", "joho", "Information Technology"),
    ("食品", "shokuhin", "Food"),
    ("フーズ", "foods", "Food"),
    ("薬品", "yakuhin", "Healthcare"),
    ("メディカル", "medical", "Healthcare"),
    ("不動産", "fudosan", "Real Estate"),
    ("リース", "lease", "Finance"),
    ("印刷", "insatsu", "Media"),
    ("化学", "kagaku", "Chemicals"),
    ("百貨店", "hyakkaten", "Retail"),
    ("ストア", "store", "Retail"),
)
WESTERN_STEM = _words(
    "Nord Alpen Blau Stern Berg Wald Rhein Elbe Nova Lumen Terra Aqua Vento Forte Clara Vera Helio Orbis Delta Sigma "
    "Argent Beau Mont Rive Pont Vert Haute Grand Iron Oak Stone Bridge River North Bright Clear Swift Silver Kings "
    "Harbour Cedar Falcon Merid Astra Corda Linea Puro Solis Granit Fjord Skog Sund"
)
WESTERN_TRADE: tuple[tuple[str, str], ...] = (
    ("Technik", "Manufacturing"),
    ("Werke", "Manufacturing"),
    ("Automation", "Electronics"),
    ("Logistics", "Logistics"),
    ("Trading", "Wholesale"),
    ("Software", "Information Technology"),
    ("Digital", "Information Technology"),
    ("Foods", "Food"),
    ("Pharma", "Healthcare"),
    ("Bau", "Construction"),
    ("Capital", "Finance"),
    ("Media", "Media"),
    ("Chemie", "Chemicals"),
    ("Retail", "Retail"),
)
LEGAL_FORM = {
    "DE": "GmbH", "FR": "SAS", "GB": "Ltd", "NL": "B.V.", "ES": "S.L.", "IT": "S.r.l.", "SE": "AB", "CH": "AG",
    "US": "Inc.", "SG": "Pte. Ltd.",
}  # fmt: skip
CITIES: dict[str, tuple[tuple[str, str, str], ...]] = {  # country: (region, city, postal code)
    "east": (
        ("東京都", "千代田区", "100-0005"), ("東京都", "港区", "105-0011"), ("東京都", "新宿区", "160-0022"),
        ("東京都", "品川区", "140-0002"), ("神奈川県", "横浜市西区", "220-0012"), ("神奈川県", "川崎市幸区", "212-0013"),
        ("埼玉県", "さいたま市大宮区", "330-0854"), ("千葉県", "千葉市美浜区", "261-0023"), ("愛知県", "名古屋市中村区", "450-0002"),
        ("宮城県", "仙台市青葉区", "980-0021"), ("北海道", "札幌市中央区", "060-0005"), ("静岡県", "浜松市中央区", "430-0929"),
    ),
    "west": (
        ("大阪府", "大阪市北区", "530-0001"), ("大阪府", "大阪市中央区", "541-0041"), ("京都府", "京都市下京区", "600-8216"),
        ("兵庫県", "神戸市中央区", "651-0087"), ("広島県", "広島市中区", "730-0011"), ("福岡県", "福岡市博多区", "812-0011"),
        ("岡山県", "岡山市北区", "700-0024"), ("香川県", "高松市", "760-0019"),
    ),
    "DE": (("Bayern", "München", "80331"), ("Berlin", "Berlin", "10115"), ("Hessen", "Frankfurt", "60311")),
    "FR": (("Île-de-France", "Paris", "75008"), ("Auvergne-Rhône-Alpes", "Lyon", "69002")),
    "GB": (("England", "London", "EC2A 4NE"), ("England", "Manchester", "M1 1AE")),
    "NL": (("Noord-Holland", "Amsterdam", "1012 AB"), ("Utrecht", "Utrecht", "3511 AA")),
    "ES": (("Madrid", "Madrid", "28001"), ("Cataluña", "Barcelona", "08002")),
    "IT": (("Lombardia", "Milano", "20121"), ("Piemonte", "Torino", "10121")),
    "SE": (("Stockholm", "Stockholm", "111 20"), ("Skåne", "Malmö", "211 20")),
    "CH": (("Zürich", "Zürich", "8001"), ("Genève", "Genève", "1201")),
    "US": (("California", "San Jose", "95110"), ("New York", "New York", "10001")),
    "SG": (("Central", "Singapore", "048616"),),
}  # fmt: skip
STREETS = {
    "JP": ("丸の内", "本町", "駅前通", "栄", "中央", "大手町", "緑町"),
    "": ("Hauptstraße", "Main Street", "Rue Centrale", "Station Road"),
}
BRANCHES = ("大阪支店", "名古屋支店", "福岡支店", "仙台支店", "札幌支店", "広島支店", "横浜営業所", "京都営業所")
TITLES: tuple[tuple[str, str, bool, float], ...] = (  # Japanese, English, decides, share
    ("代表取締役", "Chief Executive Officer", True, 0.05),
    ("取締役", "Director", True, 0.06),
    ("部長", "Head of Department", True, 0.17),
    ("課長", "Manager", False, 0.24),
    ("係長", "Team Lead", False, 0.14),
    ("主任", "Senior Associate", False, 0.12),
    ("担当", "Associate", False, 0.22),
)
DEPARTMENTS: tuple[tuple[str, str], ...] = (
    ("営業部", "Sales"), ("情報システム部", "IT"), ("総務部", "General Affairs"), ("購買部", "Procurement"),
    ("経営企画部", "Corporate Planning"), ("製造部", "Manufacturing"), ("マーケティング部", "Marketing"), ("経理部", "Accounting"),
)  # fmt: skip
FREE_MAIL = ("gmail.com", "yahoo.co.jp", "outlook.jp", "icloud.com")
