"""Mutants of what is valid, the same ones in every client; docs/sdks.md has the recipe."""

from __future__ import annotations

_MASK = 2**64 - 1
_STRETCH_MAX = 64


class _SplitMix64:
    """Sebastiano Vigna's generator."""

    def __init__(self, state: int) -> None:
        self._state = state

    def below(self, bound: int) -> int:
        self._state = z = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & _MASK
        return (z ^ z >> 31) % bound


def mutant(originals: list[bytes], number: int) -> tuple[int, bytes]:
    """The mutant of this number, and the index of the item that it was made of."""
    random = _SplitMix64(number)
    of = random.below(len(originals))
    mutated = bytearray(originals[of])
    for _ in range(1 + random.below(3)):
        operation = random.below(8)
        place = random.below(len(mutated) + 1)
        if operation <= 1:
            if place < len(mutated):
                mutated[place] ^= 1 << random.below(8)
        elif operation == 2:
            if place < len(mutated):
                mutated[place] = random.below(256)
        elif operation == 3:
            source = originals[random.below(len(originals))]
            start = random.below(len(source))
            written = source[start : start + 1 + random.below(_STRETCH_MAX)]
            written = written[: len(mutated) - place]
            mutated[place : place + len(written)] = written
        elif operation == 4:
            mutated.insert(place, random.below(256))
        elif operation == 5:
            del mutated[place : place + 1 + random.below(_STRETCH_MAX)]
        elif operation == 6:
            del mutated[place:]
        else:
            mutated += originals[random.below(len(originals))]
    return of, bytes(mutated)
