"""The fields of a message of Protocol Buffers, read without a description of it."""

from collections.abc import Iterator

VARINT, BYTES = 0, 2  # how a field is written
FIXED = {1: 8, 5: 4}  # or as so many bytes
MOST_BITS = 64


def read_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and the value of every field: a whole number, or bytes.

    Raises:
        ValueError: if this is not a message.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        how = key & 7
        if how == VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if how == BYTES:
            length, at = _varint(message, at)
        elif how in FIXED:
            length = FIXED[how]
        else:
            raise ValueError(f"a field is written in the unknown way {how}")
        if at + length > end:
            raise ValueError("a field is longer than its message")
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a whole number, and where the next thing begins."""
    if at < len(message) and message[at] < 128:  # nearly all
        return message[at], at + 1
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
