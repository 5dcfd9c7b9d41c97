"""The details of an error: `google.rpc.BadRequest` and `google.rpc.RetryInfo`, read as they are on the wire.

The package has no modules of these messages: programs that have them from another package could not import both.
"""

from __future__ import annotations

from typing import Iterable, Iterator, NamedTuple, Optional, Tuple, Union


class Details(NamedTuple):
    """What an error tells besides its code and sentence.

    field:       the field of the request that is to blame.
    retry_after: seconds after which the same request may succeed.
    """

    field: Optional[str] = None
    retry_after: Optional[float] = None


def of_status(data: bytes) -> Details:
    """The details of a serialized `google.rpc.Status`; none of what cannot be read."""
    try:
        return of_messages((_text(whole, 1), _bytes(whole, 2))
                           for number, whole in _fields(data) if number == 3 and isinstance(whole, bytes))
    except (ValueError, IndexError):
        return Details()


def of_messages(messages: Iterable[Tuple[str, bytes]]) -> Details:
    """The details of messages with their types' names."""
    field, retry_after = None, None
    for kind, data in messages:
        if kind.endswith("/google.rpc.BadRequest"):
            field = field or _text(_bytes(data, 1), 1) or None
        elif kind.endswith("/google.rpc.RetryInfo"):
            numbers = {number: value for number, value in _fields(_bytes(data, 1)) if isinstance(value, int)}
            retry_after = numbers.get(1, 0) + numbers.get(2, 0) / 1e9
    return Details(field, retry_after)


def _text(data: bytes, number: int) -> str:
    return _bytes(data, number).decode("utf-8", "replace")


def _bytes(data: bytes, number: int) -> bytes:
    """The first field of a number that is a text, bytes or a message; empty where there is none."""
    return next((value for found, value in _fields(data) if found == number and isinstance(value, bytes)), b"")


def _fields(data: bytes) -> Iterator[Tuple[int, Union[int, bytes]]]:
    """The fields of a message: numbers as they are, texts and messages as bytes. Raises ValueError, IndexError."""
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(data):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            yield tag >> 3, varint()
            continue
        size = {1: 8, 5: 4}.get(kind)
        if size is None:
            if kind != 2:
                raise ValueError("expected a protobuf message")
            size = varint()
        if place + size > len(data):
            raise ValueError("expected a whole protobuf message")
        value = data[place:place + size]
        place += size
        if kind == 2:
            yield tag >> 3, value
