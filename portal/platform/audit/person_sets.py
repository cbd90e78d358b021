"""Sets of people as a few bytes: one bit for each id, deflated.

A file of a whole force of 8,000 takes about 1 KiB at most, and one of everybody much less.
"""

import zlib
from collections.abc import Iterable

from portal.platform.errors import RuleError

MOST_IDS = 8 * 16 * 1024 * 1024  # of a set that is unpacked; far beyond any force


def pack_people(ids: Iterable[int]) -> bytes:
    """The set of these people.

    >>> holds_person(pack_people([3, 1_000]), 1_000), holds_person(pack_people([3, 1_000]), 4)
    (True, False)
    """
    people = set(ids)
    bits = bytearray(max(people, default=0) // 8 + 1)
    for person_id in people:
        bits[person_id // 8] |= 1 << person_id % 8
    return zlib.compress(bytes(bits), 9)


def holds_person(packed: bytes, person_id: int) -> bool:
    """Whether the set has the person."""
    bits = _unpack_bits(packed)
    return person_id // 8 < len(bits) and bool(bits[person_id // 8] & 1 << person_id % 8)


def count_people(packed: bytes) -> int:
    """How many people the set has."""
    return int.from_bytes(_unpack_bits(packed)).bit_count()


def _unpack_bits(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    bits = unpacker.decompress(packed, MOST_IDS // 8)
    if unpacker.unconsumed_tail:
        raise RuleError("A set of people is larger than any force.")
    return bits
