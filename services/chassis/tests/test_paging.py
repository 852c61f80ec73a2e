"""Lists in pages."""

import pytest
from perijove_chassis import errors, paging


def walk(items: list[str], size: int) -> list[list[str]]:
    pages, token = [], ""
    while True:
        shown, token = paging.page(items, str, size, token)
        pages.append(shown)
        if not token:
            return pages


@pytest.mark.parametrize(
    ("size", "pages"),
    [
        (2, [["a", "b"], ["c", "d"], ["é"]]),
        (5, [["a", "b", "c", "d", "é"]]),
        (0, [["a", "b", "c", "d", "é"]]),
        (9999, [["a", "b", "c", "d", "é"]]),
    ],
)
def test_pages_hold_every_item_once_and_in_order(size: int, pages: list[list[str]]) -> None:
    assert walk(["c", "é", "a", "d", "b"], size) == pages


def test_nothing_makes_one_empty_page() -> None:
    assert walk([], 2) == [[]]


def test_no_page_is_larger_than_allowed() -> None:
    pages = walk([f"{number:04}" for number in range(paging.MOST_ITEMS + 1)], 5000)
    assert [len(shown) for shown in pages] == [paging.MOST_ITEMS, 1]


def test_a_page_begins_after_the_last_item_though_that_is_gone() -> None:
    _, token = paging.page(["a", "b", "c"], str, 2, "")
    assert paging.page(["a", "c"], str, 2, token) == (["c"], "")


@pytest.mark.parametrize(("size", "token"), [(-1, ""), (0, "?"), (0, "a"), (0, "_w=="), (0, "é")])
def test_what_cannot_be_a_page_is_refused(size: int, token: str) -> None:
    with pytest.raises(errors.InvalidArgument):
        paging.page(["a"], str, size, token)
