"""Statistics and returns of the long tail."""

from __future__ import annotations

from trading.indicators.long_tail.study import CLOSE, Output, length, number, study

STUDIES = (
    study(
        "drawdown", CLOSE, (),
        Output("drawdown", 0, lambda: 1, "Highest close of the history minus the close, in USD.", anchored=True),
        Output("drawdown_percent", 1, lambda: 1, "Drawdown from the highest close of the history, 0 to 1.",
               anchored=True),
    ),
    study(
        "entropy", CLOSE, (*length(10), number("base", 2, 1.01)),
        Output("entropy", 0, lambda n, _: 2 * n - 1, "Entropy of the closes' shares of their sum (Shannon 1948)."),
    ),
    study(
        "kurtosis", CLOSE, length(30, least=4),
        Output("kurtosis", 0, lambda n: n, "Excess kurtosis of n closes, without bias."),
    ),
    study(
        "log_return", CLOSE, length(1, least=1), Output("log_return", 0, lambda n: n + 1, "Log return over n bars."),
    ),
    study(
        "mad", CLOSE, length(30),
        Output("mad", 0, lambda n: n, "Mean absolute deviation of n closes from their mean."),
    ),
    study("median", CLOSE, length(30), Output("median", 0, lambda n: n, "Median of n closes.")),
    study(
        "percent_return", CLOSE, length(1, least=1),
        Output("percent_return", 0, lambda n: n + 1, "Simple return over n bars, 0.01 for one percent."),
    ),
    study(
        "quantile", CLOSE, (*length(30), number("q", 0.5, 0.01, 0.99)),
        Output("quantile", 0, lambda n, _: n, "Quantile q of n closes, between neighbours by proportion."),
    ),
    study(
        "skew", CLOSE, length(30, least=3), Output("skew", 0, lambda n: n, "Skewness of n closes, without bias."),
    ),
    study(
        "stdev", CLOSE, length(30),
        Output("stdev", 0, lambda n: n, "Sample deviation of n closes, ddof 1."), ddof=1, talib=False,
    ),
    study(
        "variance", CLOSE, length(30),
        Output("variance", 0, lambda n: n, "Sample variance of n closes, ddof 1."), ddof=1, talib=False,
    ),
)  # fmt: skip
