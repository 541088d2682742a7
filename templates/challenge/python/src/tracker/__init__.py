"""The base of every Python model of this competition."""

from abc import ABC, abstractmethod
from typing import Any, Self

from .question import Prediction, TickData
from .scoring import score_prediction

__all__ = ["Prediction", "TickData", "TrackerBase", "score_prediction"]


class TrackerBase(ABC):
    """
    The base class of every model of this competition. The node calls `tick` for each new record and `predict` when a round
    is due, one call at a time, always on the same instance of the process.

    The instance is created without arguments. Classes of this package are never used as a participant's model.
    """

    # Not in __init__, so that a model with its own __init__ need not call this one.
    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        model = super().__new__(cls)
        model.__newest = {}
        return model

    __newest: dict[str, TickData]

    def tick(self, data: TickData) -> None:
        """Receives new data of one subject. To keep more than the newest data, override it and call `super().tick(data)`."""
        self.__newest[data["subject"]] = data

    @abstractmethod
    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        """
        The answer to one round. It must be returned within the contract's timeout; an exception counts as a failed answer.

        :param subject: the series to predict
        :param horizon: how far ahead to predict, in seconds
        :param step: resolution of the answer in seconds; equal to the horizon if the answer is one value
        :return: a dict of plain Python numbers; the protocol supports no tuples and no numpy types
        """

    def data_of(self, subject: str) -> TickData | None:
        """The newest data of a subject, `None` before its first tick."""
        return self.__newest.get(subject)
