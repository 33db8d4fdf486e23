"""Calls the hook of the FreqTrade snippet as FreqTrade does after a fill.

    python freqtrade_fill.py FOLDER

FOLDER holds cwts_ultra.py. The order is told twice, as after a restart of the bot, and one pair is unknown here.
"""

import sys
from datetime import datetime, timezone
from types import SimpleNamespace

sys.path.insert(0, sys.argv[1])

from cwts_ultra import CwtsUltra, call_tool  # noqa: E402


class MyStrategy(CwtsUltra):
    pass


order = SimpleNamespace(ft_order_side="buy", safe_filled=0.02, order_id="dry_run_buy_BTC/USDT_1")
for pair in ["BTC/USDT", "BTC/USDT", "DOGE/USDT"]:
    MyStrategy().order_filled(pair, SimpleNamespace(), order, datetime.now(timezone.utc))
print(call_tool("get_positions")["positions"])
