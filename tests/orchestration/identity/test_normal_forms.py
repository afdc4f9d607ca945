"""Tables of examples for every kind of key: what must give the same normal form, and what must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.identity.characters import KANJI, plain
from orchestration.identity.company_names import normalize_company
from orchestration.identity.contact_points import (
    corporate_number,
    email_domain,
    is_shared_mailbox,
    normalize_email,
    normalize_phone,
)
from orchestration.identity.person_names import PersonName, clearly_different, normalize_person, same_name

COMPANIES = [
    # legal forms, written out, abbreviated, before and after, in every width
    ("株式会社山田製作所", "山田製作所"),
    ("山田製作所株式会社", "山田製作所"),
    ("㈱山田製作所", "山田製作所"),
    ("山田製作所㈱", "山田製作所"),
    ("㍿山田製作所", "山田製作所"),
    ("(株)山田製作所", "山田製作所"),
    ("（株）山田製作所", "山田製作所"),
    ("山田製作所（株）", "山田製作所"),
    ("株式会社　山田製作所", "山田製作所"),
    ("  株式会社 山田 製作所 ", "山田製作所"),
    ("有限会社佐藤商店", "佐藤商店"),
    ("㈲佐藤商店", "佐藤商店"),
    ("佐藤商店(有)", "佐藤商店"),
    ("合同会社佐藤", "佐藤"),
    ("(同)佐藤", "佐藤"),
    ("合資会社佐藤", "佐藤"),
    ("合名会社佐藤", "佐藤"),
    ("一般社団法人日本協会", "日本協会"),
    ("公益財団法人日本財団", "日本財団"),
    ("医療法人社団青空会", "青空会"),
    ("学校法人青空学園", "青空学園"),
    ("特定非営利活動法人みどり", "みどり"),
    ("NPO法人みどり", "みどり"),
    ("独立行政法人中央機構", "中央機構"),
    ("国立大学法人東都大学", "東都大学"),
    ("カ)ヤマダ", "ヤマダ"),
    ("ヤマダ(カ", "ヤマダ"),
    # Western legal forms
    ("Acme, Inc.", "acme"),
    ("ACME INC", "acme"),
    ("Acme Incorporated", "acme"),
    ("Acme Co., Ltd.", "acme"),
    ("Acme Co.,Ltd", "acme"),
    ("Acme CO. LTD.", "acme"),
    ("Acme Company Limited", "acme"),
    ("Acme Corporation", "acme"),
    ("Acme Corp.", "acme"),
    ("Acme K.K.", "acme"),
    ("Acme KK", "acme"),
    ("K.K. Acme", "acme"),
    ("Acme Kabushiki Kaisha", "acme"),
    ("Kabushiki Kaisha Acme", "acme"),
    ("Acme G.K.", "acme"),
    ("Acme GmbH", "acme"),
    ("Acme GmbH & Co. KG", "acme"),
    ("Acme AG", "acme"),
    ("Acme S.A.", "acme"),
    ("Acme S.p.A.", "acme"),
    ("Acme B.V.", "acme"),
    ("Acme Pty Ltd", "acme"),
    ("Acme Pte. Ltd.", "acme"),
    ("Acme PLC", "acme"),
    ("Acme LLC", "acme"),
    ("Acme L.L.C.", "acme"),
    ("Acme A/S", "acme"),
    ("Acme Oy", "acme"),
    ("The Acme Company", "acme"),
    ("Ａｃｍｅ　Ｉｎｃ．", "acme"),
    ("Société Acme SARL", "societeacme"),
    ("Müller & Söhne GmbH", "mullerandsohne"),
    # a legal form inside a word is not one
    ("Incubator Lab", "incubatorlab"),
    ("Cocoa", "cocoa"),
    ("Saga", "saga"),
    # kana, long marks, dashes
    ("ﾔﾏﾀﾞｺﾝﾋﾟｭｰﾀｰ", "ヤマダコンピユータ"),
    ("ヤマダコンピュータ", "ヤマダコンピユータ"),
    ("ヤマダコンピュ―タ―", "ヤマダコンピユータ"),
    ("ヤマダコンピュ-タ", "ヤマダコンピユータ"),
    ("ヤマダ・コンピュータ", "ヤマダコンピユータ"),
    ("キャノン", "キヤノン"),
    ("キヤノン", "キヤノン"),
    ("ヴァイオリン工房", "バイオリン工房"),
    ("バイオリン工房", "バイオリン工房"),
    ("Coca‐Cola", "cocacola"),
    ("Coca－Cola", "cocacola"),
    ("COCA-COLA", "cocacola"),
    ("霞ヶ関商事", "霞ケ関商事"),
    ("霞ケ関商事", "霞ケ関商事"),
    # old and new forms of kanji
    ("國際電氣", "国際電気"),
    ("齋藤鐵工", "斉藤鉄工"),
    ("斎藤鉄工", "斉藤鉄工"),
    ("髙橋工業", "高橋工業"),
    ("濵田澤商店", "浜田沢商店"),
    ("渡邉運輸", "渡辺運輸"),
    ("渡邊運輸", "渡辺運輸"),
    # ampersands, remarks, readings
    ("A&B Corp.", "aandb"),
    ("A ＆ B", "aandb"),
    ("A and B", "aandb"),
    ("山田製作所（旧：佐藤工業）", "山田製作所"),
    ("Acme (formerly Beta)", "acme"),
    ("株式会社山田製作所（ヤマダセイサクショ）", "山田製作所"),
    ("【重要】株式会社山田製作所", "山田製作所"),
    # branches stay apart from the company, however they are attached
    ("株式会社山田製作所 大阪支店", "山田製作所/大阪支店"),
    ("株式会社山田製作所　大阪支店", "山田製作所/大阪支店"),
    ("株式会社山田製作所大阪支店", "山田製作所/大阪支店"),
    ("山田製作所株式会社大阪支店", "山田製作所/大阪支店"),
    ("山田製作所㈱ 大阪支店", "山田製作所/大阪支店"),
    ("山田製作所（株）名古屋営業所", "山田製作所/名古屋営業所"),
    ("株式会社山田製作所 第二事業所", "山田製作所/第二事業所"),
    ("山田製作所㈱九州支社", "山田製作所/九州支社"),
    ("株式会社山田製作所 川崎工場", "山田製作所/川崎工場"),
    ("株式会社山田製作所 つくば研究所", "山田製作所/つくば研究所"),
    ("Yamada Inc. Osaka Branch", "yamada/osakabranch"),
    ("Yamada Co., Ltd. (Nagoya Office)", "yamada/nagoyaoffice"),
    # the head office is the company
    ("株式会社山田製作所 本社", "山田製作所"),
    ("株式会社山田製作所 東京本社", "山田製作所"),
    ("Acme Inc. Headquarters", "acme"),
    # words of a branch that are the company's own name
    ("株式会社東京研究所", "東京研究所"),
    ("山田研究所", "山田研究所"),
    ("日本工場", "日本工場"),
]


@pytest.mark.parametrize(("written", "form"), COMPANIES)
def test_a_companys_name_has_this_normal_form(written: str, form: str) -> None:
    assert str(normalize_company(written)) == form


@pytest.mark.parametrize("nothing", [None, "", "  ", "株式会社", "(株)", "・・・", "—"])
def test_what_is_no_name_has_no_normal_form(nothing: str | None) -> None:
    assert normalize_company(nothing) is None


DIFFERENT_COMPANIES = [
    ("ビール工業", "ビル工業"),
    ("山田製作所", "山田工業"),
    ("さくら", "サクラ"),
    ("Acme Japan", "Acme"),
    ("山田ホールディングス", "山田"),
    ("株式会社山田製作所 大阪支店", "株式会社山田製作所 京都支店"),
    ("山田製作所なんば支店", "山田製作所みなみ支店"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT_COMPANIES)
def test_names_of_two_companies_stay_two(one: str, other: str) -> None:
    assert normalize_company(one) != normalize_company(other)


def test_a_branch_of_unknown_place_is_kept_apart_from_its_company_and_from_other_branches() -> None:
    branch = normalize_company("山田製作所なんば支店")
    assert branch is not None
    assert branch.branch
    assert normalize_company("山田製作所") != branch


PEOPLE = [
    (("山田　太郎",), "山田 太郎|"),
    (("山田太郎 様",), "山田太郎|"),
    (("山田太郎さん",), "山田太郎|"),
    (("山田部長",), "山田|"),
    (("髙﨑 齋",), "高崎 斉|"),
    (("山田（旧姓：佐藤） 花子",), "山田 花子|"),
    ((None, "山田", "太郎"), "山田, 太郎|"),
    (("山田 太郎", "山田", "太郎", "ヤマダ", "タロウ"), "山田, 太郎|yamada, taro"),
    (("山田 太郎", None, None, "ﾔﾏﾀﾞ", "ﾀﾛｳ"), "山田 太郎|yamada, taro"),
    (("ヤマダ タロウ",), "|yamada taro"),
    (("やまだ たろう",), "|yamada taro"),
    (("Taro Yamada",), "|taro yamada"),
    (("Mr. Taro Yamada",), "|taro yamada"),
    (("Dr Taro YAMADA",), "|yamada, taro"),
    (("YAMADA Taro",), "|yamada, taro"),
    (("Yamada, Taro",), "|yamada, taro"),
    (("Tarō Yamada",), "|taro yamada"),
    (("José García",), "|jose garcia"),
    (("O’Brien, Pat",), "|obrien, pat"),
    (("Shinnichi Ohno",), "|shinnichi ono"),
    (("Jean-Luc Picard",), "|jeanluc picard"),
]


@pytest.mark.parametrize(("parts", "form"), PEOPLE)
def test_a_persons_name_has_this_normal_form(parts: tuple[str | None, ...], form: str) -> None:
    assert str(normalize_person(*parts)) == form


@pytest.mark.parametrize("nothing", ["", "   ", "様", None, "・"])
def test_what_is_no_persons_name_has_no_normal_form(nothing: str | None) -> None:
    assert normalize_person(nothing) is None


ALIKE = [
    (("山田 太郎",), ("山田太郎",)),
    (("太郎 山田",), ("山田 太郎",)),
    (("Taro Yamada",), ("YAMADA Taro",)),
    (("Yamada, Taro",), ("Taro Yamada",)),
    (("Tarou Yamada",), ("ヤマダ タロウ",)),
    (("渡邊 一郎",), ("渡辺一郎",)),
    (("Ryouta Satou",), ("Ryota Sato",)),
    (("Syunsuke Tuda",), ("Shunsuke Tsuda",)),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_two_spellings_of_one_full_name_are_the_same(one: tuple[str], other: tuple[str]) -> None:
    left, right = normalize_person(*one), normalize_person(*other)
    assert left is not None
    assert right is not None
    assert same_name(left, right)
    assert not clearly_different(left, right)


NOT_CLEARLY = [
    (("山田",), ("山田 太郎",)),
    (("T. Yamada",), ("Taro Yamada",)),
    (("山田 太郎",), ("Taro Yamada",)),
    (("Jon Smith",), ("John Smith",)),
    ((None, "佐藤", "花子"), (None, "鈴木", "花子")),
    ((None, "斉藤", "隆", "サイトウ", "タカシ"), (None, "西塔", "崇", "サイトウ", "タカシ")),
]


@pytest.mark.parametrize(("one", "other"), NOT_CLEARLY)
def test_names_that_may_be_one_persons_are_not_clearly_different(
    one: tuple[str | None, ...], other: tuple[str | None, ...]
) -> None:
    left, right = normalize_person(*one), normalize_person(*other)
    assert left is not None
    assert right is not None
    assert not clearly_different(left, right)
    assert not clearly_different(right, left)


CLEARLY = [
    (("山田 太郎",), ("佐藤 花子",)),
    (("山田 太郎",), ("山田 花子",)),
    (("鈴木 一郎",), ("鈴木 二郎",)),
    (("Taro Yamada",), ("Hanako Sato",)),
    (("Taro Yamada",), ("Jiro Yamada",)),
    (("Yuki Sato",), ("Yuka Sato",)),
    (("ヤマダ タロウ",), ("Hanako Sato",)),
    (("Yamada Taro",), ("Yamada Hanako",)),
]


@pytest.mark.parametrize(("one", "other"), CLEARLY)
def test_names_of_two_people_are_clearly_different(one: tuple[str], other: tuple[str]) -> None:
    left, right = normalize_person(*one), normalize_person(*other)
    assert left is not None
    assert right is not None
    assert clearly_different(left, right)
    assert clearly_different(right, left)


EMAILS = [
    ("Taro@Example.co.jp", "taro@example.co.jp"),
    ("  taro@example.co.jp ", "taro@example.co.jp"),
    ("mailto:taro@example.co.jp", "taro@example.co.jp"),
    ("山田太郎 <taro@example.co.jp>", "taro@example.co.jp"),
    ("taro+news@example.co.jp", "taro@example.co.jp"),
    ("t.a.r.o@gmail.com", "taro@gmail.com"),
    ("taro+x@googlemail.com", "taro@gmail.com"),
    ("t.yamada@example.co.jp", "t.yamada@example.co.jp"),
    ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ", "taro@example.co.jp"),
    ("taro@日本語.jp", "taro@xn--wgv71a119e.jp"),
    ("a..b.@docomo.ne.jp", "a..b.@docomo.ne.jp"),
    ("a@x.jp, b@x.jp", None),
    ("a@localhost", None),
    ("@example.com", None),
    ("not an address", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("written", "form"), EMAILS)
def test_an_address_has_this_normal_form(written: str | None, form: str | None) -> None:
    assert normalize_email(written) == form


DOMAINS = [
    ("taro@mail.example.co.jp", "example.co.jp"),
    ("https://www.example.co.jp/ja/company?x=1", "example.co.jp"),
    ("HTTP://EXAMPLE.COM:8080", "example.com"),
    ("example.tokyo.jp", "example.tokyo.jp"),
    ("www.city.osaka.lg.jp", "osaka.lg.jp"),
    ("shop.wixsite.com", "shop.wixsite.com"),
    ("someone.github.io", "someone.github.io"),
    ("taro@gmail.com", None),
    ("taro@yahoo.co.jp", None),
    ("https://www.facebook.com/example", None),
    ("localhost", None),
    ("192.168.0.1", None),
    ("co.jp", None),
    ("no domain", None),
    (None, None),
]


@pytest.mark.parametrize(("written", "domain"), DOMAINS)
def test_a_registrable_company_domain_is_found(written: str | None, domain: str | None) -> None:
    assert email_domain(written) == domain


@pytest.mark.parametrize(
    "mailbox", ["info", "sales", "support", "info2", "e-mail", "no-reply", "eigyou", "customer.service"]
)
def test_a_desks_mailbox_is_known(mailbox: str) -> None:
    assert is_shared_mailbox(f"{mailbox}@example.co.jp")


@pytest.mark.parametrize("mailbox", ["taro", "t.yamada", "yamada", "salesman.taro", "informer"])
def test_a_persons_mailbox_is_not_a_desks(mailbox: str) -> None:
    assert not is_shared_mailbox(f"{mailbox}@example.co.jp")


PHONES = [
    ("03-1234-5678", "+81312345678"),
    ("03(1234)5678", "+81312345678"),
    ("０３－１２３４－５６７８", "+81312345678"),
    ("03ー1234ー5678", "+81312345678"),
    ("0312345678", "+81312345678"),
    ("+81 3 1234 5678", "+81312345678"),
    ("+81 (0)3 1234 5678", "+81312345678"),
    ("+81-03-1234-5678", "+81312345678"),
    ("tel: 03-1234-5678", "+81312345678"),
    ("03-1234-5678 ext. 12", "+81312345678"),
    ("090-1234-5678", "+819012345678"),
    ("0120-123-456", "+81120123456"),
    ("+1 415 555 2671", "+14155552671"),
    ("+44 20 7946 0958", "+442079460958"),
    ("12345", None),
    ("000-0000-0000", None),
    ("なし", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("written", "form"), PHONES)
def test_a_telephone_number_has_this_normal_form(written: str | None, form: str | None) -> None:
    assert normalize_phone(written) == form


NUMBERS = [
    ("7000012050002", "7000012050002"),  # 国税庁
    ("4011001098993", "4011001098993"),
    ("2120901007402", "2120901007402"),
    ("T7000012050002", "7000012050002"),
    ("7-0000-1205-0002", "7000012050002"),
    ("７００００１２０５０００２", "7000012050002"),
    ("7000012050002.0", "7000012050002"),
    ("7000012050003", None),  # check digit
    ("7000012050020", None),
    ("0000000000000", None),
    ("9999999999999", None),  # passes the sum, is no number
    ("1111111111111", None),
    ("700001205000", None),
    ("70000120500020", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("written", "number"), NUMBERS)
def test_a_corporate_number_is_verified(written: str | None, number: str | None) -> None:
    assert corporate_number(written) == number


@given(st.text(max_size=40))
def test_normal_forms_are_stable(text: str) -> None:
    company = normalize_company(text)
    if company is not None:
        assert company.name.strip() == company.name != ""
        assert normalize_company(f" {text}\n") == company
    person = normalize_person(text)
    if person is not None:
        assert PersonName.parse(str(person)) == person
        assert not clearly_different(person, person)
    email = normalize_email(text)
    assert email is None or normalize_email(email) == email


def test_every_old_form_of_a_kanji_has_one_form_in_use_that_is_final() -> None:
    for old, new in KANJI.items():
        assert ord(new) not in KANJI, f"{chr(old)} -> {new} goes on"
        assert plain(chr(old)) == plain(new)
