"""Details of errors as they are on the wire."""

import pytest

from posed_client.details import Details, of_status


def field(number, value):
    """A field of a message: bytes, a text or a whole number below 128."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    value = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2, len(value)]) + value


def status(*details):
    """A google.rpc.Status with details (type, message)."""
    return field(1, 8) + field(2, "words") + b"".join(
        field(3, field(1, "type.googleapis.com/google.rpc." + kind) + field(2, message)) for kind, message in details)


BAD_REQUEST = ("BadRequest", field(1, field(1, "settings.nfe") + field(2, "words")))
RETRY_INFO = ("RetryInfo", field(1, field(1, 3) + bytes([2 << 3, 0x80, 0xCA, 0xB5, 0xEE, 0x01])))


def test_the_field_and_the_time():
    assert of_status(status(BAD_REQUEST, RETRY_INFO)) == Details("settings.nfe", 3.5)
    assert of_status(status(("QuotaFailure", field(1, "x")), BAD_REQUEST)) == Details("settings.nfe", None)
    assert of_status(status()) == of_status(b"") == Details()


@pytest.mark.parametrize("data", [b"\xff", b"\x1a\x7f", b"\x1b", b"\x1a\x80", status(BAD_REQUEST)[:-3]])
def test_what_cannot_be_read_tells_nothing(data):
    assert of_status(data) == Details()
