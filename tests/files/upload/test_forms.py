"""Everything that arrives is in the answer: forms as clients of all kinds write them."""

import pytest

from tests.factories import HTML, csrf_token
from tests.files.helpers import JSON, Script, on_disk

GOOD = (b'name="file"; filename="good.txt"', b"good")
OTHER = (b'name="file"; filename="other.txt"', b"other")
END = b"\r\n--x--\r\n"


def lines_of(response):
    """Path and state of each file."""
    return [line.split("\t")[:2] for line in response.text.splitlines()[1:]]


@pytest.fixture
def script(app):
    return Script(app)


def part(name, codec="utf-8"):
    return (b'name="file"; filename="' + name.encode(codec) + b'"', b"x")


@pytest.mark.parametrize(
    ("names", "codec"),
    [
        (["报告.txt"], "gbk"),
        (["新建 文本文档.txt", "图.txt", "简历-张伟（终稿）.txt"], "gb18030"),
        (["報告.txt"], "big5"),
        (["圖.txt", "會議紀要.txt", "照片.txt"], "big5"),
        (["成功.txt", "功.txt"], "big5"),  # 功 ends with the byte of a backslash
    ],
)
def test_names_that_are_not_utf_8_are_read_by_what_all_of_a_form_say(script, names, codec):
    response = script.upload_parts(GOOD, part("二.txt"), *(part(name, codec) for name in names))
    assert response.status_code == 200, response.text
    expected = ["good.txt", "二.txt", *names]
    assert lines_of(response) == [[name, "kept"] for name in expected]
    label = "Big5" if codec == "big5" else "GB18030"
    read_as = [f"was read as {label}" in line for line in response.text.splitlines()[1:]]
    assert read_as == [False, False, *[True] * len(names)]


@pytest.mark.parametrize(
    "text",
    [
        'filename="{}.txt"',
        'filename="{}"; size=1',
        "filename={}",
        "filename={}; size=1",
        'filename="a "{}" b.txt"',
        'filename*0="{}"; filename*1=".txt"',
    ],
)
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        # In UTF-8 the byte 0x85 and others that Unicode calls a line end or white space.
        *[(name, "utf-8") for name in ("照片", "公司", "八", "全", "光", "入关", "丠", "à", "Å")],
        *[(name, "gb18030") for name in ("报告厖", "新建爘")],
    ],
)
def test_no_byte_of_a_name_ends_it(script, text, name, codec):
    before, after = text.split("{}")
    head = b'name="file"; ' + before.encode() + name.encode(codec) + after.encode()
    response = script.upload_parts((head, b"x"), part("二.txt"))
    sent = text.partition("=")[2].partition(";")[0].replace("{}", name)
    sent = name + ".txt" if "*" in text else sent.removeprefix('"').removesuffix('"')
    assert lines_of(response) == [[sent, "kept"], ["二.txt", "kept"]], response.text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ([("报告", "gbk"), ("Müller Österreich", "cp1252"), ("é", "cp1252")], [0]),
        ([("报告", "gbk"), ("Größe", "cp1252")], [0]),
        ([("報告", "big5"), ("Ärger", "cp1252"), ("Águas", "cp1252")], [0]),
        ([("新北京", "gbk"), ("臺灣", "big5"), ("日本語テスト", "cp932")], [0, 1]),
        # The bytes of 报告 are characters in Big5 too, which are rare in GB 2312.
        ([("报告", "gbk"), ("報告", "big5")], [0, 1]),
        ([("报告", "gbk"), ("会议", "gbk"), ("台北市報告", "big5")], [0, 1, 2]),
        # Those of 副本 are frequent characters in both, and the others do not agree.
        ([("副本", "gbk"), ("会议", "gbk"), ("台北市報告", "big5")], [1, 2]),
        ([("报告", "gbk"), ("Müller", "utf-8"), ("图", "gbk")], [0, 1, 2]),
    ],
)
def test_a_name_in_another_encoding_takes_no_others_along(script, sent, kept):
    response = script.upload_parts(*(part(f"{name}.txt", codec) for name, codec in sent))
    states = [[f"{sent[number][0]}.txt", "kept"] for number in kept]
    assert [line for line in lines_of(response) if line[1] == "kept"] == states
    assert len(lines_of(response)) == len(sent)


@pytest.mark.parametrize("name", ["Zürich.txt", "résumé.txt", "Ärger.txt"])
def test_a_name_in_no_known_encoding_is_refused_by_name(script, name):
    response = script.upload_parts(GOOD, part(name, "cp1252"), OTHER)
    assert response.status_code == 207
    good, refused, other = lines_of(response)
    assert (good, other) == (["good.txt", "kept"], ["other.txt", "kept"])
    shown = name.encode("cp1252").decode("utf-8", "backslashreplace")
    assert refused == [shown, "refused"]
    assert "encoding" in response.text


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"name=file; filename*=utf8''%E6%96%B0%E5%BB%BA.txt", "新建.txt"),
        (b"name=file; filename*=UTF-8'zh'%E6%96%B0.txt; filename=x.txt", "新.txt"),
        (b"name=file; filename*=gbk''%b1%a8%b8%e6.txt", "报告.txt"),
        (b"name=file; filename*=Big5''%b3%f8%a7i.txt", "報告.txt"),
        (b"name=file; filename*=ISO-8859-1''Z%FCrich.txt", "Zürich.txt"),
        (b"name=file; filename*=\"utf-8''%E6%96%B0.txt\"", "新.txt"),
        (b"name=file; filename*=klingon''%E6%96%B0.txt; filename=x.txt", "x.txt"),
        (b"name=file; filename*=utf-8''%FF%FE.txt; filename=x.txt", "x.txt"),
        (b"name=file; filename*=base64''YQ; filename=x.txt", "x.txt"),
        (b"name=file; filename*=punycode''a.txt-9q5a; filename=x.txt", "x.txt"),
        (b"name=file; filename*=idna''xn--abc-8d0f; filename=x.txt", "x.txt"),
        (b"name=file; filename*=unicode_escape''%5Cu6587.txt; filename=x.txt", "x.txt"),
        (b"name=file; filename*=utf-16le''%e5e%2e%00%74%00%78%00%74%00", "日.txt"),
        (b"name=file; filename*=klingon''%E6%96%B0.txt", "新.txt"),
        (b"name=file; filename*=%E6%96%B0.txt", "新.txt"),
        (b"name=file; filename*0*=utf-8''%E6%96; filename*1*=%B0; filename*2=.txt", "新.txt"),
        (b'name=file; filename*0="a b"; filename*1=".txt"', "a b.txt"),
        (b'name="file"; filename="=?UTF-8?B?5paw5bu6LnR4dA==?="', "新建.txt"),
        (b'name="file"; filename="=?gbk?Q?=B1=A8=B8=E6.txt?="', "报告.txt"),
        (b'name="file"; filename="a=?b?.txt"', "a=?b?.txt"),
        (b"name=file; filename=my notes.txt ", "my notes.txt"),
        (b'NAME="file"; FileName="a.txt";', "a.txt"),
        (b'name="file" filename="a.txt"', "a.txt"),
        (b'filename="a.txt"', "a.txt"),
        (b'name="file";\r\n filename="a.txt"', "a.txt"),
        (b'name="file"; filename="a.txt', "a.txt"),
    ],
)
def test_names_are_found_however_they_are_written(script, head, name):
    response = script.upload_parts((head, b"x"))
    assert (response.status_code, lines_of(response)) == (200, [[name, "kept"]]), response.text


@pytest.mark.parametrize("name", ["=?x?b?////?=", "=?punycode?q?a.txt-9q5a?=", "=?idna?q?a.txt?="])
def test_a_name_encoded_as_in_a_mail_that_cannot_be_decoded_is_refused(script, name):
    response = script.upload_parts(GOOD, part(name))
    assert lines_of(response) == [["good.txt", "kept"], [name, "refused"]]


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (rb"C:\Users\me\note.txt", "note.txt"),
        (rb"C:\\Users\\me\\note.txt", "note.txt"),
        (rb"\\server\share\note.txt", "note.txt"),
        (b"C:note.txt", "note.txt"),
        (b"/home/me/note.txt", "note.txt"),
        (b"../../note.txt", "note.txt"),
        (rb"a\b.txt", "b.txt"),
        (rb"a/b\c/d.txt", "d.txt"),
        ("C:\\文件\\报告.txt".encode("gbk"), "报告.txt"),
        ("C:\\成功\\功.txt".encode("big5"), "功.txt"),
    ],
)
def test_of_a_path_the_last_part_counts(script, sent, name):
    response = script.upload_parts((b'name="file"; filename="' + sent + b'"', b"x"))
    assert (response.status_code, lines_of(response)) == (200, [[name, "kept"]]), response.text
    assert "the last part is the name" in response.text


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (rb"a\"b.txt", 'a"b.txt'),  # curl
        (b"a%22b.txt", 'a"b.txt'),  # browsers
        (b'a"b.txt', 'a"b.txt'),
        (rb"a\";name=x.txt", 'a";name=x.txt'),
        (b"12:30.txt", "12:30.txt"),
        (b"2026-11-30 18:20:30.csv", "2026-11-30 18:20:30.csv"),
        (b"Macintosh HD:Users:me:n.txt", "Macintosh HD:Users:me:n.txt"),
        (b"100%.txt", "100%.txt"),
        (b"a;b=c.txt", "a;b=c.txt"),
    ],
)
def test_names_with_special_characters_are_stored_as_they_are(script, sent, name):
    response = script.upload_parts((b'filename="' + sent + b'"; name="file"', b"x"))
    assert (response.status_code, lines_of(response)) == (200, [[name, "kept"]]), response.text


@pytest.mark.parametrize(
    "head",
    [
        rb'name="file"; filename="report.txt\"',
        rb'filename="report.txt\"; name=f',
        rb'filename="report.txt\"; name="f"',
    ],
)
def test_a_name_that_ends_with_a_backslash_has_its_line(script, head):
    response = script.upload_parts(GOOD, (head, b"x"), OTHER)
    assert [name for name, _state in lines_of(response)] == ["good.txt", "report.txt", "other.txt"]


@pytest.mark.parametrize("field", ["file2", "files[]", "文件", "", 'a"b', "upload"])
def test_files_of_every_field_are_stored_in_their_order(script, field):
    other = ('name="{}"; filename="other.txt"'.format(field.replace('"', "%22")).encode(), b"o")
    response = script.upload_parts(GOOD, other, (b'filename="third.txt"', b"t"))
    assert response.status_code == 200
    names = ["good.txt", "other.txt", "third.txt"]
    assert lines_of(response) == [[name, "kept"] for name in names]


def test_the_field_folder_alone_keeps_paths(script):
    name = b'; filename="survey/a.txt"'
    response = script.upload_parts((b"name=folder" + name, b"1"), (b"name=file" + name, b"2"))
    assert lines_of(response) == [["survey/a.txt", "kept"], ["a.txt", "kept"]]


HEAD = b"--x\r\nContent-Disposition: form-data; "
FIRST = HEAD + GOOD[0] + b"\r\n\r\n" + GOOD[1] + b"\r\n"


@pytest.mark.parametrize(
    ("rest", "refused"),
    [
        (HEAD + b'name="file"; filename="b.txt"\r\n\r\nhal', "b.txt"),
        (HEAD + b'name="file"; filen', "(no name)"),
        (b"--x\r\nContent-Type: text/plain\r\n\r\nb" + END, "(no name)"),
        (b"--x\r\n\r\nb" + END, "(no name)"),
        (b"--x\r\nContent-Disposition: \xff\xfe\r\n\r\nb" + END, "(no name)"),
        (b"--x\r\nno colon\r\n\r\nb" + END, "(no name)"),
        (
            HEAD + b"name=files\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
            b'--y\r\nContent-Disposition: file; filename="c.txt"\r\n\r\nc\r\n--y--' + END,
            "files",
        ),
        (HEAD + b'name="file"; filename=""\r\n\r\nnameless' + END, "(no name)"),
        (HEAD + b"name=file;" + b"a=b;" * 21 + b' filename="c.txt"\r\n\r\nc' + END, "file"),
        (HEAD + b";" + b";a" * 21 + b';name=file;filename="c.txt"\r\n\r\nc' + END, "(no name)"),
    ],
)  # fmt: skip
def test_a_damaged_part_has_its_line_and_the_others_are_stored(app, script, rest, refused):
    response = script.upload_form(FIRST + rest)
    assert response.status_code == 207, response.text
    assert lines_of(response) == [["good.txt", "kept"], [refused, "refused"]]
    assert len(on_disk(app.config["SETTINGS"].files_dir)) == 1


@pytest.mark.parametrize("missing", [b"", b"--", b"--x", b"--x\r\n"])
def test_a_form_without_its_last_boundary(script, missing):
    """Of the last part nobody knows whether it is complete, unless the next one begins."""
    response = script.upload_form(FIRST + FIRST.replace(b"good.txt", b"last.txt") + missing)
    last = "kept" if missing == b"--x\r\n" else "refused"
    assert lines_of(response) == [["good.txt", "kept"], ["last.txt", last]]


@pytest.mark.parametrize("boundary", ["y", "", "ü", '"x y"'])
def test_a_form_whose_parts_are_not_found_says_so(script, boundary):
    response = script.upload_form(FIRST + END, boundary=boundary)
    assert response.status_code == 400
    assert response.text.splitlines()[0] == "file uploaded Fail"
    assert "its parts were not found" in response.text


def test_the_damaged_and_the_unreadable_are_in_json_and_on_the_page(app, script, as_role):
    parts = (GOOD, part("Zürich.txt", "cp1252"))
    response = script.upload_parts(*parts, **JSON)
    assert (response.status_code, response.json["message"]) == (207, "file uploaded successfully")
    assert [(file["path"], file["kept"]) for file in response.json["files"]] == [
        ("good.txt", True),
        ("Z\\xfcrich.txt", False),
    ]
    browser = as_role("editor")
    token = csrf_token(browser.get("/files").text).encode()
    browser_script = Script(app, role=None)
    browser_script.client, browser_script.headers = browser.client, dict(HTML)
    response = browser_script.upload_parts((b'name="csrf_token"', token), *parts)
    assert response.status_code == 303
    page = browser.get(response.location).text
    assert "good.txt" in page
    assert "Z\\xfcrich.txt" in page


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("a.txt", " a.txt", ["a.txt", "a (2).txt"]),
        (" a.txt", "a.txt", ["a.txt", "a (2).txt"]),
        ("x/a.txt", "y/a.txt", ["a.txt", "a (2).txt"]),
        ("x\\a.txt", "a.txt", ["a.txt", "a (2).txt"]),
        ("a.txt.", "a.txt..", ["a.txt", "a (2).txt"]),
        ("x/.env", "y/.env", [".env", ".env (2)"]),
        ("e\u0301.txt", "\u00e9.txt", ["é.txt", "é.txt"]),
        ("a.txt", "a.txt", ["a.txt", "a.txt"]),
        ("x/a.txt", "x/a.txt", ["a.txt", "a.txt"]),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_different_names_never_become_versions_of_one_file(
    make_app, first, second, names, together
):
    script = Script(make_app(UPLOAD_EXTENSIONS="txt,env"))
    sent = [part(first), part(second)]
    responses = [script.upload_parts(*sent)] if together else map(script.upload_parts, sent)
    found = [line for response in responses for line in response.text.splitlines()[1:]]
    assert [line.split("\t")[0] for line in found] == names
    assert [("Version 2" in line) for line in found] == [False, names[0] == names[1]]
    again = script.upload_parts(sent[1]).text.splitlines()[1]
    assert again.split("\t")[0] == names[1], "the same name again is its next version"
    assert "Version" in again


def test_a_numbered_name_that_is_taken_is_not_used(script):
    for sent, name in (
        ("a (2).txt", "a (2).txt"),
        ("a.txt", "a.txt"),
        ("x/a.txt", "a (3).txt"),
        ("y/" + "n" * 251 + ".txt", "n" * 251 + ".txt"),
        ("n" * 251 + ".txt", "n" * 247 + " (2).txt"),
    ):
        assert lines_of(script.upload_parts(part(sent))) == [[name, "kept"]]


def test_paths_of_a_folder_that_become_the_same_are_two_files(script):
    heads = [f'name="folder"; filename="{path}"'.encode() for path in ("f /a.txt", "f/a.txt")]
    response = script.upload_parts(*((head, b"x") for head in heads))
    assert lines_of(response) == [["f/a.txt", "kept"], ["f/a (2).txt", "kept"]]


def test_werkzeugs_decoder_still_asks_for_the_headers_of_a_part(script):
    """app/files/upload/multipart.py replaces a private method of it."""
    from werkzeug.sansio.multipart import File, MultipartDecoder

    seen = []

    class Decoder(MultipartDecoder):
        def _parse_headers(self, data):
            seen.append(bytes(data))
            return super()._parse_headers(data)

    decoder = Decoder(b"x")
    decoder.receive_data(FIRST + END)
    events = [decoder.next_event() for _ in range(2)]
    assert isinstance(events[1], File)
    assert seen == [b"Content-Disposition: form-data; " + GOOD[0]]
