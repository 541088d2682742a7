from decimal import Decimal

from tracker import Prediction, TrackerBase


class Coin(TrackerBase):
    """
    A random number between -1 and 1, unrelated to the market. It is derived from the data, so that a
    replay gives the same numbers.
    """

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        newest = [] if data is None else data["closes"][-3:]
        return {"value": hash_of(f"{subject}:{':'.join(map(text_of, newest))}") / 0xFFFFFFFF * 2 - 1}


def hash_of(text: str) -> int:
    """FNV-1a with the final mix of MurmurHash3, 32 bits."""
    state = 0x811C9DC5
    for character in text:
        state = (state ^ ord(character)) * 0x01000193 & 0xFFFFFFFF
    state = (state ^ state >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    state = (state ^ state >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return state ^ state >> 16


def text_of(price: float) -> str:
    """Formats a price like JavaScript: 100 for 100.0, and no exponent. Valid from a millionth on."""
    return format(Decimal(repr(float(price))), "f").removesuffix(".0")
