"""What the quality rules are judged by: every parameter, with its default and its bounds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(gt=0, lt=1)]
Factor = Annotated[float, Field(gt=1)]
Score = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Thresholds(BaseModel):
    """Parameters of the rules; shares are fractions, scores are robust standard deviations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounding: Share = Field(0.001, description="A high below the close by less than this is the source's rounding.")
    wick: Share = Field(0.15, description="A high or low this far beyond open, close and the close before is judged.")
    wick_score: Score = Field(30.0, description="Robust deviations that make such a high or low suspect.")
    wick_factor: Factor = Field(2.0, description="A high or low beyond the other prices by this factor is quarantined.")
    stale_bars: Count = Field(5, description="Identical daily closes and volumes in a row: the feed stands still.")
    stale_bars_intraday: Count = Field(15, description="The same for intraday bars, which may repeat in a quiet hour.")
    jump: Share = Field(0.25, description="A move of the close beyond the market's by this share (up) is judged.")
    tick: Share = Field(0.10, description="A move of one bar that the next takes back is judged from this share on.")
    certain: Share = Field(0.40, description="A jump of this share that is taken back was no trade: quarantined.")
    jump_score: Score = Field(10.0, description="Robust deviations of the symbol's own and the market's moves.")
    traded: Factor = Field(4.5, description="Dollar volume, in usual bars, that shows that a jump was really traded.")
    traded_session: Factor = Field(1.5, description="The same for a jump that came about after the open.")
    overnight: Share = Field(0.55, description="A jump with less than this share of it at the open came about after.")
    taken_back: Share = Field(0.25, description="A jump is taken back when less than this share of it remains.")
    tick_bars: Count = Field(10, description="Bars within which a jump that is no split must be taken back.")
    flip_sessions: Count = Field(60, description="Sessions that a level off by a split's ratio may last.")
    split_tolerance: Share = Field(0.05, description="A move this near to a split's ratio looks like that split.")
    volume_surge: Factor = Field(100.0, description="Volume in usual bars that is suspect.")
    volume_collapse: Factor = Field(20.0, description="Usual bars in volume that is suspect: a twentieth and less.")
    volume_score: Score = Field(6.0, description="Robust deviations of log volume that such a volume must be away.")
    history: Count = Field(63, description="Bars before that say what is usual.")
    missing_score: Share = Field(1e-6, description="Chance below which untraded bars of a thin symbol are missing.")
    complete: Share = Field(0.95, description="Share of bars from which on a symbol trades in every bar.")
    identity_gap: Count = Field(20, description="Missing sessions after which a ticker may be another company's.")
    identity_level: Factor = Field(1.5, description="Change of price over such a gap that speaks for another company.")
    identity_score: Score = Field(4.0, description="Deviations, for the length of the gap, the price must have moved.")
    identity_volume: Factor = Field(8.0, description="Change of usual volume over the gap that speaks for another.")
    disagreement: Share = Field(0.005, description="Difference of two feeds' prices that is suspect.")
    contradiction: Share = Field(0.10, description="Difference of two feeds' prices that is quarantined.")


DEFAULTS = Thresholds()
"""Tuned on the S&P 500's daily bars of 2012-2017."""
