"""Corporate actions: what they are, how they are read out of adjusted closes, and how they adjust bars as of a date."""

from trading.adjustment.actions import Actions, CashDividend, CorporateAction, SpinOff, Split, read_actions, to_actions
from trading.adjustment.adjusting import adjust
from trading.adjustment.derivation import DerivedAction, convention_of, derive
from trading.adjustment.dividends import dividends_as_of
from trading.adjustment.spin_offs import first_common_closes, share_of_value

__all__ = [
    "Actions",
    "CashDividend",
    "CorporateAction",
    "DerivedAction",
    "SpinOff",
    "Split",
    "adjust",
    "convention_of",
    "derive",
    "dividends_as_of",
    "first_common_closes",
    "read_actions",
    "share_of_value",
    "to_actions",
]
