"""Multipart forms, as speech is sent: their small fields are read, their files are not touched."""

from http import HTTPStatus

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from serve_app.gateway.api.errors import ApiError

MOST_PARTS = 256
"""Each is parsed in Python, 15 µs that no other client is served; a transcription has a dozen."""

Span = tuple[int, int]


class Form:
    """Where a form's fields are in its bytes."""

    def __init__(self, raw: bytes, content_type: bytes) -> None:
        """Finds the fields.

        Args:
            raw: The body.
            content_type: The header, which has the boundary in it.

        Raises:
            ApiError: 415, if it is not said to be a form; 400, if it is none.
        """
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            message = (
                f"The content-type is {_text(content_type)!r}: send the fields and the file as multipart/form-data."
            )
            raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, code="unsupported_content_type")
        boundary = options.get(b"boundary")
        if not boundary:
            raise _bad("The content-type has no boundary: let the HTTP client write that header.")
        self._raw = raw
        self._spans = _spans(raw, boundary)

    def text(self, name: str) -> str | None:
        """The text of a field; None where the form does not have it.

        Raises:
            ApiError: 400, if the form has it twice, where servers differ in what they take, or not as text.
        """
        spans = self._spans.get(name.encode(), [])
        if len(spans) > 1:
            raise _bad(f"The form has {name!r} more than once: send it once.", param=name)
        if not spans:
            return None
        start, end = spans[0]
        try:
            return self._raw[start:end].decode()
        except UnicodeDecodeError as error:
            raise _bad(f"{name!r} is not UTF-8: send it as text.", param=name) from error

    def replaced(self, name: str, text: str) -> tuple[bytes | memoryview, ...]:
        """The form with another text in a field that it has, in pieces; everything else is as it was, uncopied."""
        start, end = self._spans[name.encode()][0]
        view = memoryview(self._raw)
        return view[:start], text.encode(), view[end:]


def _spans(raw: bytes, boundary: bytes) -> dict[bytes, list[Span]]:
    """Field -> where its values begin and end; files are left out.

    All of the form is given to the parser in one piece, so the places that it tells are places in the form.
    """
    found: dict[bytes, list[Span]] = {}
    header = b""
    disposition: dict[bytes, bytes] = {}
    begin = end = parts = 0
    complete = False

    def header_name(data: bytes, start: int, stop: int) -> None:
        nonlocal header
        header = data[start:stop].lower()

    def header_value(data: bytes, start: int, stop: int) -> None:
        nonlocal disposition
        if header == b"content-disposition":
            disposition = parse_options_header(data[start:stop])[1]

    def part_begins() -> None:
        nonlocal begin, end, disposition, parts
        parts += 1
        if parts > MOST_PARTS:
            raise _bad(f"The form has more than {MOST_PARTS} parts: send fewer.")
        begin = end = 0
        disposition = {}

    def part_data(data: bytes, start: int, stop: int) -> None:
        nonlocal begin, end
        begin = begin or start
        end = stop

    def part_ends() -> None:
        if b"filename" not in disposition and (name := disposition.get(b"name")) is not None:
            found.setdefault(name, []).append((begin, end))

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
        parser.write(raw)
    except FormParserError as error:
        raise _bad(f"The body is not a valid form: {error}.") from error
    if not complete:
        raise _bad("The body is not a valid form: its last boundary is missing.")
    return found


def _text(content_type: bytes) -> str:
    return content_type.decode("latin-1")


def _bad(message: str, *, param: str | None = None) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, message, param=param)
