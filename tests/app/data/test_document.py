import io

import pytest
from pypdf import PdfWriter
from sqlalchemy import Row

from serve_app.data.ingest.document import RefusedError, parts
from serve_app.data.ingest.reading import read
from serve_app.data.vectors import MOST_TEXT

HTML = b"""<html><head><title>x</title><style>p{}</style></head><body><nav>Menu</nav><h2>Cats</h2>
<p>A cat <b>purrs</b>.</p><script>alert(1)</script><table><tr><td>one</td><td>two</td></tr></table></body></html>"""


def split(name: str, content: bytes, tokens: int = 800, overlap: int = 0, most: int = 100) -> list[str]:
    return parts(name, content, max_tokens=tokens, overlap_tokens=overlap, max_chunks=most)


def pdf(*pages: str) -> bytes:
    """A PDF with a line on each page, written by hand so that it has text."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for text in pages:
        stream = f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode()
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
            % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(kids), len(pages))
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))
    return out.getvalue()


def test_markdown_is_split_at_headings() -> None:
    text = b"# One\n\nAbout one, with words.\n\n# Two\n\nAbout two, with words.\n"
    assert split("a.md", text, 12) == ["# One\n\nAbout one, with words.", "# Two\n\nAbout two, with words."]


def test_parts_overlap_as_asked() -> None:
    text = " ".join(f"word{n}." for n in range(100)).encode()
    apart, over = split("a.txt", text, 40), split("a.txt", text, 40, 20)
    assert len(over) > len(apart)
    assert over[0].split()[-1] in over[1]
    assert apart[0].split()[-1] not in apart[1].split()


def test_html_is_its_text_under_its_headings() -> None:
    (text,) = split("a.html", HTML)
    assert text.startswith("## Cats")
    assert "A cat **purrs**." in text
    assert "one | two" in text
    assert not any(word in text for word in ("Menu", "alert", "p{}", "<"))


def test_a_pdf_is_the_text_of_its_pages() -> None:
    (text,) = split("a.bin", pdf("The first page.", "The second page."))
    assert text == "The first page.\n\nThe second page."


def encrypted() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("a.bin", b"\x00\xff\xfe", "unsupported_file", "is no text, Markdown, HTML or PDF"),
        ("a.txt", b"abc\x00def", "unsupported_file", "is no text"),
        ("a.txt", b" \n ", "invalid_file", "has no text"),
        ("a.pdf", b"%PDF-1.4 broken", "invalid_file", "cannot be read"),
        ("a.pdf", encrypted(), "invalid_file", "is encrypted"),
        ("a.txt", b"word. " * 5000, "invalid_file", "more than 100: split it"),
    ],
)
def test_what_cannot_be_taken(name: str, content: bytes, code: str, says: str) -> None:
    with pytest.raises(RefusedError, match=says) as refused:
        split(name, content, 16)
    assert refused.value.code == code


def test_text_in_utf_16_and_with_a_mark_is_read() -> None:
    assert split("a.txt", "schön".encode("utf-16")) == ["schön"]
    assert split("a.txt", "schön".encode("utf-8-sig")) == ["schön"]


def test_no_part_is_larger_than_a_store_takes() -> None:
    found = split("a.txt", b"a" + b" " * 200_000 + b"b", 4096)
    assert all(len(part.encode()) <= MOST_TEXT for part in found)


class Asked:
    """What is asked of a row."""

    filename, max_tokens, overlap_tokens = "a.md", 100, 0


async def test_it_is_read_in_a_process_that_ends() -> None:
    row: Row[tuple[()]] = Asked()
    assert await read(row, b"# Hello", 10) == ["# Hello"]
    with pytest.raises(RefusedError, match=r"could not be read in 0\.01 s"):
        await read(row, b"# Hello", 10, seconds=0.01)
