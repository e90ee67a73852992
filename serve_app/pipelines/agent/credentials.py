"""Headers of tools, with values out of mounted Secrets."""

from pathlib import Path

from serve_app.settings.agent import Headers


class CredentialError(Exception):
    """A Secret's key that is not there."""


def headers_of(headers: Headers) -> dict[str, str]:
    """The headers as they are sent; files are read each time, since a Secret's new value arrives while this runs.

    Raises:
        CredentialError: A file cannot be read.
    """
    found: dict[str, str] = {}
    for name, value in headers.items():
        if isinstance(value, str):
            found[name] = value
            continue
        try:
            found[name] = value.prefix + Path(value.file).read_text(encoding="utf-8").strip()
        except OSError as error:
            key = Path(value.file).name
            raise CredentialError(f"the Secret with the tools' credentials has no key {key!r}") from error
    return found
