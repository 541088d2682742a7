from dataclasses import dataclass, field
from datetime import date
from math import sqrt

from tracker import Prediction, TickData, TrackerBase
from tracker.question import within_limits

SEASON_DAYS = 15
"""How many days before and after a day of the year belong to its season."""
PRIOR_STD = 8
PRIOR_WEIGHT = 5


@dataclass
class Sums:
    count: int = 0
    total: float = 0.0
    squares: float = 0.0


@dataclass
class Station:
    newest_date: str = ""
    """The newest counted day, so that a day contained in several ticks counts once."""
    days: dict[int, Sums] = field(default_factory=dict)
    """By day of the year."""


class Climatology(TrackerBase):
    """
    Predicts the average of this time of the year, from the data that this model has received. In its first year that is
    little more than the last two weeks. It keeps only three sums per day of the year.
    """

    def __init__(self) -> None:
        self.stations: dict[str, Station] = {}

    def tick(self, data: TickData) -> None:
        super().tick(data)
        station = self.stations.setdefault(data["subject"], Station())
        for observed in data["days"]:
            if observed["date"] <= station.newest_date:
                continue
            station.newest_date = observed["date"]
            day = station.days.setdefault(day_of_year(observed["date"]), Sums())
            day.count += 1
            day.total += observed["tempMax"]
            day.squares += observed["tempMax"] ** 2

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        station = self.stations.get(subject)
        if station is None or station.newest_date == "":
            return {"mean": 15.0, "std": 12.0}
        season = season_of(station.days, day_of_year(station.newest_date) + 1)
        mean = season.total / season.count
        variance = max(0.0, season.squares / season.count - mean**2)
        learned = PRIOR_WEIGHT * PRIOR_STD**2 + season.count * variance
        return within_limits(mean, sqrt(learned / (PRIOR_WEIGHT + season.count)))


def day_of_year(text: str) -> int:
    """Counted from 0; the last day of a leap year is 365."""
    return date.fromisoformat(text).timetuple().tm_yday - 1


def season_of(days: dict[int, Sums], centre: int) -> Sums:
    """Sums over the days around a day of the year. They include the newest known day, so the count is never 0."""
    season = Sums()
    for offset in range(-SEASON_DAYS, SEASON_DAYS + 1):
        day = days.get((centre + offset) % 366)
        if day is None:
            continue
        season.count += day.count
        season.total += day.total
        season.squares += day.squares
    return season
