"""The fence: a mirror counts once it has reached what was answered after the last change."""

from __future__ import annotations

import pytest
from perijove_chassis.watching import Position
from perijove_gateway_http.fence import Changes, Fence


def at(number: int, feed_id: str = "a") -> Position:
    return Position(feed_id, number)


def after_a_change() -> tuple[Changes, Fence]:
    changes = Changes()
    with changes.under_way():
        pass
    return changes, Fence(changes)


def test_without_a_change_any_mirror_will_do() -> None:
    assert Fence(Changes()).passed(at(0))


def test_after_a_change_no_mirror_will_do_before_the_service_was_asked() -> None:
    changes, fence = after_a_change()
    assert not fence.passed(at(10**9))
    fence.answered(changes.settled, at(5), in_step=True)
    assert not fence.passed(at(4))
    assert not fence.passed(at(9, "b"))
    assert not fence.passed(None)
    assert fence.passed(at(5))


def test_a_change_that_fails_counts() -> None:
    changes = Changes()
    fence = Fence(changes)
    with pytest.raises(ValueError, match="x"), changes.under_way():
        raise ValueError("x")
    assert not fence.passed(at(5))


def test_an_answer_to_a_question_from_before_the_change_does_not_count() -> None:
    changes = Changes()
    fence = Fence(changes)
    settled = changes.settled
    with changes.under_way():
        during = changes.settled
    fence.answered(settled, at(5), in_step=True)
    fence.answered(during, at(5), in_step=True)
    assert not fence.passed(at(5))


def test_while_a_change_is_under_way_no_mirror_will_do() -> None:
    changes, fence = after_a_change()
    with changes.under_way(), changes.under_way():
        fence.answered(changes.settled, at(5), in_step=True)
        assert not fence.passed(at(5))


def test_an_answer_of_unknown_position_does_not_count() -> None:
    changes, fence = after_a_change()
    fence.answered(changes.settled, None, in_step=True)
    assert not fence.passed(at(5))


def test_a_mirror_that_is_only_behind_may_catch_up_with_the_first_answer() -> None:
    changes, fence = after_a_change()
    fence.answered(changes.settled, at(5), in_step=True)
    fence.answered(changes.settled, at(9), in_step=True)
    assert fence.passed(at(5))


def test_a_mirror_that_was_out_of_step_shows_no_less_than_the_last_answer() -> None:
    fence = Fence(Changes())
    fence.answered(0, at(9), in_step=False)
    assert not fence.passed(at(8))
    assert fence.passed(at(9))


def test_a_feed_that_lost_its_end_or_its_name_moves_the_fence_with_it() -> None:
    changes, fence = after_a_change()
    fence.answered(changes.settled, at(9), in_step=True)
    fence.answered(changes.settled, at(3), in_step=True)
    assert fence.passed(at(3))
    fence.answered(changes.settled, at(1, "b"), in_step=True)
    assert not fence.passed(at(9))
    assert fence.passed(at(1, "b"))
