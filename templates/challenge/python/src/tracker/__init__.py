"""What every Python model of this competition builds on."""

from abc import ABC, abstractmethod
from typing import Any, Self

from .question import Prediction, TickData
from .scoring import score_prediction

__all__ = ["Prediction", "TickData", "TrackerBase", "score_prediction"]


class TrackerBase(ABC):
    """
    What every model of this competition extends. The node calls `tick` for each new record and `predict` when a round
    is due, one call at a time, on one instance that lives as long as its process.

    The instance is made without arguments. A class that lies in this package is never taken for a participant's model.
    """

    # Not in __init__, so that a model which has its own need not remember to call this one.
    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        model = super().__new__(cls)
        model.__newest = {}
        return model

    __newest: dict[str, TickData]

    def tick(self, data: TickData) -> None:
        """New data of one subject. Override it to keep more than the newest, and call `super().tick(data)`."""
        self.__newest[data["subject"]] = data

    @abstractmethod
    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        """
        The answer to one round. It must come within the contract's timeout; raising is an answer that counts as failed.

        :param subject: which series is asked about
        :param horizon: how far ahead, seconds
        :param step: resolution of the answer, seconds; the horizon itself where one value is asked for
        :return: a dict of plain Python numbers: the protocol carries no tuple and nothing of numpy
        """

    def data_of(self, subject: str) -> TickData | None:
        """The newest data of a subject, `None` before its first tick."""
        return self.__newest.get(subject)
