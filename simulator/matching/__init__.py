"""When an order fills and at what price, of the four prices that a session's bar has.

The session is taken as a path from the open over the extremes to the close: first to the extreme that is nearer to
the open, then to the other one (the higher first when both are as near). Orders act where the path reaches them,
in that order, so that one bar decides between a take-profit and a stop-loss the same way every time.

==========================  =====================================================================================
order                       fills
==========================  =====================================================================================
market, before the open     at the open price, at the open
market, in the session      at the close price, at the close: the next price that is known
limit, before the open      at the open price if that is as good as the limit, at the open; else at the limit
                            if the path reaches it, stamped at the close
stop, before the open       becomes a market order where the path reaches the stop and fills there; at the open
                            price when the session opens beyond it: a gap is never filled at the stop
stop-limit                  becomes a limit order there
trailing stop               a stop that follows the best price of the path so far
limit, stop in the session  at the close price, at the close, if that is as good as the limit or beyond the stop
opg, cls                    market or limit at that one auction only
ioc, fok                    at once at the quote, or at the open when sent before it; the rest is cancelled
exits of a bracket          from where the entry was filled on
==========================  =====================================================================================

Before the open means submitted before it; what stays open over night is before the next one's. Fills inside the
session are stamped at its close, because the bar does not say when. A session without a bar fills nothing.
With `--matching quote` an order in the session also meets the quote at once, and so does a limit order for extended
hours from 4:00 to 20:00 New York.
"""
