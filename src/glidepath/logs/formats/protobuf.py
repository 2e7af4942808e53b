"""The fields of a message of Protocol Buffers, read without a description of it."""

from collections.abc import Iterator

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # how a field is written
MOST_BITS = 64


def read_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and the value of every field: a whole number, or bytes.

    Raises:
        ValueError: if this is not a message.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, how = key >> 3, key & 7
        if how == VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if how == BYTES:
            length, at = _varint(message, at)
        elif how in (EIGHT_BYTES, FOUR_BYTES):
            length = 8 if how == EIGHT_BYTES else 4
        else:
            raise ValueError(f"a field is written in the unknown way {how}")
        if at + length > len(message):
            raise ValueError("a field is longer than its message")
        yield number, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a whole number, and where the next thing begins."""
    value = 0
    for shift in range(0, MOST_BITS + 6, 7):
        if at >= len(message):
            raise ValueError("a number is longer than its message")
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of too many bytes")
