"""A stand-in for Alpaca that speaks its HTTP protocol over real market data.

`trading simulator --help` shows how to start it and how to move its clock, docs/simulator.md the rest. It knows
nothing of the rest of the system: it is Alpaca for any Alpaca client, with these differences.

Clock
    Stands still until POST /simulator/clock moves it, unless --pace lets it run; opens and closes on the way take
    place in order. It begins at the close of its start session and only POST /simulator/reset, which opens a new
    account, goes back.
Market
    One bar a session. A bar appears at its session's close; during a session only the opening price is known.
    Quotes show the last price as both bid and ask. Intraday timeframes have bars only with --minutes; the last
    week and month hold the sessions seen so far; trade counts are 0 and average prices (high + low + close) / 3.
    Corporate actions are known from their ex-date on, adjusted bars are adjusted for those only.
Orders
    Every type, time in force and class of shares; whole, fractional and notional; see `simulator.matching` for the
    prices and `simulator.frictions` for slippage, commission and volume. An answer to POST says pending_new, the
    order is accepted while the exchange is closed and new while it is open. A replaced order's new one asks for the
    whole quantity again, whatever was filled before, as at Alpaca. Any open market or stop order of the other side
    is a wash trade, a limit order where the two could meet.
Stream
    Trade updates at /stream, of changes from the connection on; the execution id of a fill is the last part of the
    id of its FILL activity.
Account
    Regulation T with multiplier 2, see `simulator.margin`. Unlike Alpaca's paper account it pays dividends: at the
    open of the ex-date, because the data know no payable date, to holders and from the short, as DIV activity.
    Splits multiply positions and open orders then, as SPLIT activity; the fraction of a share that a split leaves
    of whole ones is paid in cash, as CIL activity.
Faults
    See `simulator.faults`: armed and disarmed through /simulator/faults.
Limits
    Requests a minute are counted over real time, with Alpaca's headers and 429, but far more are allowed than
    Alpaca's 200 unless --rate-limit says so.
"""
