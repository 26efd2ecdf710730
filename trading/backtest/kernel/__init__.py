"""The compiled heart of sizing and of the backtester: one pass over the bars, decisions to fills to equity.

Inside one bar things happen in this order: the night's borrow fee and interest; splits and dividends; orders decided
at the close before, at the open (sells before buys, each in column order); stops and targets; with fills at the close
or at the typical price the orders come after the stops; positions without bars are closed as delisted; the next
decision.
"""
