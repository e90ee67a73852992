"""Multipart forms, as speech is sent: their small fields are read, their files are not touched."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import Api
from serve_app.gateway.http.envelope import Envelope, bad_body, checked_model
from serve_app.gateway.http.pieces import Piece, Pieces

MOST_PARTS = 256
_LONGEST_TEXT = 4096
_YES = frozenset(("1", "on", "t", "true", "y", "yes"))
_NO = frozenset(("", "0", "f", "false", "n", "no", "off"))
"""What a form's field may have for a boolean, as pydantic reads it."""
_UNCHANGED = object()


class _Part(NamedTuple):
    name: bytes
    begin: int
    """Where its boundary begins; the part ends where the next one's begins."""
    text_begin: int
    text_end: int


class Form:
    """A form, and where its fields are in its bytes."""

    def __init__(self, raw: bytes | bytearray, content_type: bytes) -> None:
        """Finds the fields.

        Args:
            raw: The body.
            content_type: The header, which has the boundary in it.

        Raises:
            ApiError: 415, if it is not said to be a form; 400, if it is none.
        """
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            name = content_type[:100].decode("latin-1")
            message = f"The content-type is {name!r}: send the fields and the file as multipart/form-data."
            raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, code="unsupported_content_type")
        boundary = options.get(b"boundary")
        if not boundary:
            raise bad_body("The content-type has no boundary: let the HTTP client write that header.")
        self._raw = raw
        self._delimiter = b"--" + boundary
        self._parts = _parts(raw, boundary)

    def envelope(self, api: Api) -> Envelope:
        """What the gateway has to know of the request.

        Raises:
            ApiError: 400, a field that it needs is absent or wrong.
        """
        model = checked_model(self.text("model"))
        stream = (self.text("stream") or "").lower()
        if stream not in _YES and stream not in _NO:
            raise bad_body("'stream' has to be true or false.", param="stream")
        return Envelope(model=model, stream=api.streams and stream in _YES, user=self.text("user") or "")

    def text(self, name: str) -> str | None:
        """The text of a field; None where the form does not have it.

        Raises:
            ApiError: 400, if the form has it twice, where servers differ in what they take, or not as a short text.
        """
        found = [part for part in self._parts if part.name == name.encode()]
        if len(found) > 1:
            raise bad_body(f"The form has {name!r} more than once: send it once.", param=name)
        if not found:
            return None
        begin, end = found[0].text_begin, found[0].text_end
        if end - begin > _LONGEST_TEXT:
            raise bad_body(f"{name!r} is larger than {_LONGEST_TEXT} bytes: send less.", param=name)
        try:
            return self._raw[begin:end].decode()
        except UnicodeDecodeError as error:
            raise bad_body(f"{name!r} is not UTF-8: send it as text.", param=name) from error

    def encode(self, changes: Mapping[str, object], names: Mapping[str, str]) -> Pieces:
        """The form with other fields, as `Body.encode` describes it; what it does not have is not added.

        Everything else is as it was, to the byte, and no copy.
        """
        edits: list[tuple[int, int, bytes]] = []
        for part in self._parts:
            name = part.name.decode("utf-8", "replace")
            value, other = changes.get(name, _UNCHANGED), names.get(name)
            if value is msgspec.UNSET or other == "":
                edits.append((part.begin, part.text_end + len(b"\r\n"), b""))
                continue
            if other:
                head = b'%s\r\ncontent-disposition: form-data; name="%s"\r\n\r\n' % (self._delimiter, other.encode())
                edits.append((part.begin, part.text_begin, head))
            if value is not _UNCHANGED:
                edits.append((part.text_begin, part.text_end, str(value).encode()))
        pieces: list[Piece] = []
        view, sent = memoryview(self._raw), 0
        for begin, end, text in edits:
            pieces += [view[sent:begin], text]
            sent = end
        return (*pieces, view[sent:])


def _parts(raw: bytes | bytearray, boundary: bytes) -> list[_Part]:
    """The fields, in their order; files are left out.

    All of the form is given to the parser in one piece, so the places that it tells are places in the form.
    """
    found: list[_Part] = []
    delimiter = b"--" + boundary
    header = b""
    name: bytes | None = None
    begin = text_begin = text_end = parts = 0
    complete = False

    def part_begins() -> None:
        nonlocal name, begin, parts
        name = None
        begin = -1
        parts += 1
        if parts > MOST_PARTS:
            raise bad_body(f"The form has more than {MOST_PARTS} parts: send fewer.")

    def header_name(data: bytes, start: int, stop: int) -> None:
        nonlocal header, begin
        header = bytes(data[start:stop]).lower()
        if begin < 0:
            begin = raw.rindex(delimiter, 0, start)

    def header_value(data: bytes, start: int, stop: int) -> None:
        nonlocal name, text_begin, text_end
        if header == b"content-disposition":
            options = parse_options_header(bytes(data[start:stop]))[1]
            name = options.get(b"name") if b"filename" not in options else None
        text_begin = text_end = stop + len(b"\r\n\r\n")

    def part_data(data: bytes, start: int, stop: int) -> None:
        nonlocal text_end
        text_end = stop

    def part_ends() -> None:
        if name is not None:
            found.append(_Part(name, begin, text_begin, text_end))

    def form_ends() -> None:
        nonlocal complete
        complete = True

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_header_field": header_name,
                "on_header_value": header_value,
                "on_part_begin": part_begins,
                "on_part_data": part_data,
                "on_part_end": part_ends,
                "on_end": form_ends,
            },
        )
        parser.write(raw)  # type: ignore[arg-type]  # any buffer will do
    except FormParserError as error:
        raise bad_body(f"The body is not a valid form: {error}.") from error
    if not complete:
        raise bad_body("The body is not a valid form: its last boundary is missing.")
    return found
