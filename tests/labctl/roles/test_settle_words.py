"""What a settle watch says when it does not come to rest."""

import math

from labctl.roles import SettleRule, SettleWatch

RULE = SettleRule(tolerance=0.05, std=0.05, dwell_s=10.0, timeout_s=100.0)


def test_it_tells_the_latest_readings() -> None:
    watch = SettleWatch(RULE, 4.0)
    for t_s in range(0, 30, 2):
        watch.add(float(t_s), 5.0 + 0.1 * (-1) ** (t_s // 2))
    assert watch.describe("K") == "the last 10 s were 5 ± 0.11 K"


def test_it_tells_that_there_were_no_valid_readings() -> None:
    watch = SettleWatch(RULE, 4.0)
    watch.add(0.0, 4.0)
    watch.add(2.0, math.nan)
    assert watch.describe("K") == "no valid readings at the end"
