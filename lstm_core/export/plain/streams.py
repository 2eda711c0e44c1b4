"""How does torch alone draw the numbers of `lstm_core.streams`? numpy's generator, in whole numbers of Python."""

import math
from functools import cache

import torch
from torch import Tensor

WORD, LONG, LONGEST = 2**32 - 1, 2**64 - 1, 2**128 - 1


class Stream:
    """
    The random numbers of a seed for one purpose, the same as numpy draws: its SeedSequence makes a state of 128 bits,
    which the generator PCG64DXSM moves on (O'Neill 2014). Any generator of torch's would be as good, and other numbers.
    """

    def __init__(self, seed: int, purpose: int) -> None:
        first, second, third, fourth = seed_words(seed, purpose)
        self.increment = (third << 65 | fourth << 1 | 1) & LONGEST
        start = self.increment + (first << 64 | second)
        self.state = (start * 0x2360ED051FC65DA44385DF649FCCF645 + self.increment) & LONGEST
        self.half: int | None = None

    def long(self) -> int:
        """64 random bits."""
        high, low = self.state >> 64, self.state & LONG | 1
        high ^= high >> 32
        high = high * 0xDA942042E4DD58B5 & LONG
        high ^= high >> 48
        self.state = (self.state * 0xDA942042E4DD58B5 + self.increment) & LONGEST
        return high * low & LONG

    def word(self) -> int:
        """32 random bits, the lower half of 64 first; the upper one is kept for the next call."""
        if self.half is not None:
            word, self.half = self.half, None
            return word
        both = self.long()
        self.half = both >> 32
        return both & WORD


def seed_words(*entropy: int) -> list[int]:
    """Four times 64 bits, of which each depends on every bit of at most four numbers."""
    multiplier = 0x43B0D7E5

    def hashed(value: int, factor: int) -> int:
        nonlocal multiplier
        value ^= multiplier
        multiplier = multiplier * factor & WORD
        value = value * multiplier & WORD
        return value ^ value >> 16

    pool = [hashed(value, 0x931E8875) for value in (*entropy, 0, 0, 0, 0)[:4]]
    for source in range(4):
        for place in range(4):
            if place != source:
                mixed = 0xCA01F9DD * pool[place] - 0x4973F715 * hashed(pool[source], 0x931E8875) & WORD
                pool[place] = mixed ^ mixed >> 16
    multiplier = 0x8B51F9DD
    words = [hashed(pool[place % 4], 0x58F38DED) for place in range(8)]
    return [low | high << 32 for low, high in zip(words[::2], words[1::2], strict=True)]


def integers(stream: Stream, low: int, high: int, *shape: int) -> Tensor:
    """Whole numbers from `low` to `high` - 1, each as likely as all others (Lemire 2019)."""
    count = high - low

    def one() -> int:
        product = stream.word() * count
        while product & WORD < (WORD + 1) % count:
            product = stream.word() * count
        return product >> 32

    drawn = [one() if count > 1 else 0 for _ in range(math.prod(shape))]
    return low + torch.tensor(drawn).view(shape)


def small_integers(stream: Stream, low: int, high: int, *shape: int) -> Tensor:
    """The same where `high` - `low` is 2, 4, 8 ... 128: a byte is enough for each, and 32 bits for four of them."""
    size = math.prod(shape)
    words = [stream.word() for _ in range(-(-size // 4))]
    drawn = [(word >> shift & 255) * (high - low) >> 8 for word in words for shift in (0, 8, 16, 24)]
    return low + torch.tensor(drawn[:size]).view(shape)


def fractions(stream: Stream, *shape: int) -> Tensor:
    """Numbers from 0 to 1, in single precision."""
    drawn = [(stream.word() >> 8) / 2**24 for _ in range(math.prod(shape))]
    return torch.tensor(drawn, dtype=torch.float32).view(shape)


def uniform(stream: Stream, bound: float, *shape: int) -> Tensor:
    """Numbers from -`bound` to `bound`, in double precision."""
    drawn = [2 * bound * ((stream.long() >> 11) / 2**53) - bound for _ in range(math.prod(shape))]
    return torch.tensor(drawn, dtype=torch.float64).view(shape)


def halves(stream: Stream, number: int) -> Tensor:
    """So many times two signed whole numbers of 32 bits, in single precision."""
    words = [half for both in (stream.long() for _ in range(number)) for half in (both & WORD, both >> 32)]
    return torch.tensor([word - 2**32 if word >= 2**31 else word for word in words], dtype=torch.int32).float()


def normal(stream: Stream, *shape: int) -> Tensor:
    """Normal numbers of mean 0 and variance 1, in double precision, by the ziggurat of Marsaglia and Tsang (2000)."""
    edges, widest, area = ziggurat()

    def fraction() -> float:
        return (stream.long() >> 11) / 2**53

    def tail() -> float:
        while True:
            beyond = -math.log1p(-fraction()) / widest
            if -2 * math.log1p(-fraction()) > beyond * beyond:
                return widest + beyond

    def one() -> float:
        while True:
            bits = stream.long()
            layer, place = bits & 255, bits >> 9 & 2**52 - 1
            inner, outer = (edges[layer - 1], edges[layer]) if layer else (widest, area / density(widest))
            sign, x = -1 if bits >> 8 & 1 else 1, place / 2**52 * outer
            if x < inner:
                return sign * x
            if not layer:
                return (-1 if place >> 8 & 1 else 1) * tail()
            if density(outer) + (density(inner) - density(outer)) * fraction() < density(x):
                return sign * x

    return torch.tensor([one() for _ in range(math.prod(shape))], dtype=torch.float64).view(shape)


def density(x: float) -> float:
    """Of normal numbers, up to a factor."""
    return math.exp(-x * x / 2)


@cache
def ziggurat() -> tuple[list[float], float, float]:
    """The edges of 256 layers of the same area below the density, the last of them once more, and the area."""
    widest = 3.6541528853610088
    area = widest * density(widest) + math.sqrt(math.pi / 2) * math.erfc(widest / math.sqrt(2))
    edges = [widest]
    while len(edges) < 255:
        edges.append(math.sqrt(-2 * math.log(area / edges[-1] + density(edges[-1]))))
    return [0.0, *reversed(edges)], widest, area
