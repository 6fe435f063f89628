"""What is sent in batches: one item that is refused does not keep the others from being sent."""

from collections.abc import Callable, Sequence
from typing import Any, Final

MAX_REFUSED: Final = 20
"""Items that are left out. If there are more, it is not the items."""


def send_in_batches(
    items: Sequence[Any], size: int, send: Callable[[Sequence[Any]], object], is_refusal: Callable[[Exception], bool]
) -> Exception | None:
    """Sends items, each batch in a request. Of a batch that is refused all is sent but the items that are refused alone.

    Args:
        items: what is sent, in this order.
        size: how many a batch may have.
        send: sends some of them.
        is_refusal: whether an error says that something in a batch is wrong, and not that nobody answers.

    Returns:
        Why an item was refused; None if none was.

    Raises:
        Exception: what `send` raises else, and what it has refused the last of too many items with.
    """
    refused: list[Exception] = []

    def send_some(some: Sequence[Any]) -> None:
        try:
            send(some)
        except Exception as error:
            if not is_refusal(error) or len(refused) >= MAX_REFUSED:
                raise
            if len(some) == 1:
                refused.append(error)
                return
            half = len(some) // 2
            send_some(some[:half])
            send_some(some[half:])

    for first in range(0, len(items), size):
        send_some(items[first : first + size])
    return refused[0] if refused else None
