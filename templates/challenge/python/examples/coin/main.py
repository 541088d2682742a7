from decimal import Decimal

from tracker import Prediction, TrackerBase


class Coin(TrackerBase):
    """
    Chance: a number between -1 and 1 that says nothing about the market. It is drawn from the data itself, so that a
    replay gives the same ones.
    """

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        newest = [] if data is None else data["closes"][-3:]
        return {"value": hash_of(f"{subject}:{':'.join(map(text_of, newest))}") / 0xFFFFFFFF * 2 - 1}


def hash_of(text: str) -> int:
    """FNV-1a with a final mix (the one of MurmurHash3), 32 bits."""
    state = 0x811C9DC5
    for character in text:
        state = (state ^ ord(character)) * 0x01000193 & 0xFFFFFFFF
    state = (state ^ state >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    state = (state ^ state >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return state ^ state >> 16


def text_of(price: float) -> str:
    """As JavaScript writes it, from a millionth on: 100 for 100.0, and no exponent."""
    return format(Decimal(repr(float(price))), "f").removesuffix(".0")
