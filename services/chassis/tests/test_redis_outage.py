from __future__ import annotations

from perijove_chassis.redis_outage import PATIENCE_S, Outage


def test_what_has_just_gone_is_waited_for_and_what_stays_away_is_not() -> None:
    now = 100.0
    outage = Outage(clock=lambda: now)
    assert outage.worth_waiting()
    now += PATIENCE_S / 2
    assert outage.worth_waiting()
    now += PATIENCE_S
    assert not outage.worth_waiting()
    outage.over()
    assert outage.worth_waiting()
