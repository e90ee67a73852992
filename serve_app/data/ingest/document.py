"""A document's text in parts. Run as a program of its own, so that no document can hang or fill the component.

`python -m serve_app.data.ingest.document NAME MAX_TOKENS OVERLAP_TOKENS MAX_CHUNKS < FILE` prints a JSON object:
`{"chunks": [...]}`, or `{"code": ..., "message": ...}` for a file that cannot be taken.
"""

import io
import json
import logging
import resource
import sys
from collections.abc import Callable
from pathlib import PurePath

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from serve_app.data.vectors import MOST_TEXT

MOST_MEMORY = 1536 * 1024 * 1024
_TOKENIZER = "gpt-4"
"""Named for cl100k_base, which OpenAI's chunk sizes are in."""
_DROPPED = ("script", "style", "head", "nav", "noscript", "template", "svg")


class RefusedError(Exception):
    """A file that cannot be taken."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def parts(name: str, content: bytes, *, max_tokens: int, overlap_tokens: int, max_chunks: int) -> list[str]:
    """The parts of a document, none of them empty.

    Args:
        name: The file's, whose ending tells what it is.
        content: Its bytes.
        max_tokens: Tokens of a part at most.
        overlap_tokens: Tokens that a part repeats of the one before at most.
        max_chunks: Parts at most.

    Raises:
        RefusedError: It has no text, too many parts, or is of no kind that is known.
    """
    ending = PurePath(name).suffix.lower()
    if content.startswith(b"%PDF-"):
        ending = ".pdf"
    text = _READERS.get(ending, _plain)(content).replace("\0", "")
    kind = MarkdownSplitter if ending in (".md", ".markdown", ".html", ".htm", ".xhtml") else TextSplitter
    splitter = kind.from_tiktoken_model(_TOKENIZER, max_tokens, overlap=overlap_tokens)
    chunks = [piece for chunk in splitter.chunks(text) for piece in _storable(chunk) if piece.strip()]
    if not chunks:
        raise RefusedError("invalid_file", "The file has no text.")
    if len(chunks) > max_chunks:
        raise RefusedError("invalid_file", f"The file has {len(chunks)} parts, more than {max_chunks}: split it.")
    return chunks


def _plain(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise _unsupported() from None
    if "\0" in text[:4096]:
        raise _unsupported()
    return text


def _html(content: bytes) -> str:
    from bs4 import BeautifulSoup
    from markdownify import MarkdownConverter

    page = BeautifulSoup(content, "html.parser")
    for element in page.find_all(_DROPPED):
        element.decompose()
    return str(MarkdownConverter(heading_style="ATX", strip=["img"]).convert_soup(page))


def _pdf(content: bytes) -> str:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            raise RefusedError("invalid_file", "The PDF is encrypted: store it without a password.")
        return "\n\n".join(page.extract_text() for page in reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise RefusedError("invalid_file", f"The PDF cannot be read ({type(error).__name__}).") from error


_READERS: dict[str, Callable[[bytes], str]] = {".pdf": _pdf, ".html": _html, ".htm": _html, ".xhtml": _html}


def _storable(chunk: str) -> list[str]:
    """A part in pieces that a vector store takes: one token can be many spaces."""
    if len(chunk.encode()) <= MOST_TEXT:
        return [chunk]
    size = MOST_TEXT // 4
    return [chunk[start : start + size] for start in range(0, len(chunk), size)]


def _unsupported() -> RefusedError:
    return RefusedError("unsupported_file", "The file is no text, Markdown, HTML or PDF.")


def main(arguments: list[str]) -> None:
    """Runs the command line."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    name, *numbers = arguments
    max_tokens, overlap, max_chunks = map(int, numbers)
    try:
        content = sys.stdin.buffer.read()
        chunks = parts(name, content, max_tokens=max_tokens, overlap_tokens=overlap, max_chunks=max_chunks)
        told: dict[str, object] = {"chunks": chunks}
    except RefusedError as error:
        told = {"code": error.code, "message": str(error)}
    except MemoryError:
        told = {"code": "invalid_file", "message": "The file takes too much memory to read: split it."}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
