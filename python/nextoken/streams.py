"""Generation as it goes: an iterator of pieces of text, also for `async for`."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Deque, List, Optional, Tuple, Union

if TYPE_CHECKING:
    from .results import Generation

__all__ = ["Piece", "Stream"]


class Piece(str):
    """Text that has just been generated: whole characters, and the ids of the tokens they came from."""

    ids: List[int]

    def __new__(cls, text: str, ids: List[int]) -> "Piece":
        made = super().__new__(cls, text)
        made.ids = ids
        return made


#: on_text(piece), on_ids(ids) and cancelled() of the stream -> the Generation
Run = Callable[[Callable[[str], Any], Callable[[Any], Any], Callable[[], bool]], Any]
_Item = Union[Piece, BaseException, None]  # None: the end


class _Channel:
    """What the working thread and the reader share. The thread holds no Stream, so that one that is
    dropped ends it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.ready = threading.Condition()
        self.items: Deque[_Item] = deque()
        self.waiting: Optional[Tuple[Any, Any]] = None  # (event loop, future) of an async reader
        self.left = False                               # the reader has gone
        self.result: Any = None
        self.new_ids: List[int] = []                    # not yet part of a piece
        self.n_given = 0                                # ids in pieces
        self.last: List[str] = []                       # text of the last token, whose id comes at the end

    # ---- In the working thread ----

    def put(self, item: _Item) -> None:
        with self.ready:
            self.items.append(item)
            self.ready.notify_all()
            waiting, self.waiting = self.waiting, None
        if waiting is not None:
            loop, future = waiting
            try:
                loop.call_soon_threadsafe(lambda: future.done() or future.set_result(None))
            except RuntimeError:  # the loop is closed: nobody waits
                pass

    def give(self, text: str, ids: List[int]) -> None:
        self.n_given += len(ids)
        self.put(Piece(text, ids))

    def on_ids(self, ids: Any) -> bool:
        self.new_ids.append(int(ids[-1]))
        return self.cancelled()

    def on_text(self, text: str) -> bool:
        if text and self.new_ids:
            ids, self.new_ids = self.new_ids, []
            self.give(text, ids)
        elif text:  # nobody asks behind the last token whether to stop
            self.last.append(text)
        return self.cancelled()

    def cancelled(self) -> bool:
        return self.left or not threading.main_thread().is_alive()

    def work(self) -> None:
        try:
            self.result = self.run(self.on_text, self.on_ids, self.cancelled)
            outputs = self.result.rows
            if outputs and (self.n_given or self.last):
                if self.last:
                    self.give("".join(self.last), outputs[0].ids[self.n_given:])
            elif outputs and outputs[0].text:  # several beams or outputs: nothing was sure before the end
                self.give(outputs[0].text, outputs[0].ids)
            self.put(None)
        except BaseException as error:
            self.put(error)


class Stream:
    """An iterator of the pieces of a text in the making: `for piece in stream` or `async for`.

    A Piece is a str with the `ids` of its tokens. `result` is the Generation, when all has been read;
    beams and several sequences have one piece, at the end. close(), `with` and `async with` end
    generation early, and so does dropping the stream.
    """

    def __init__(self, run: Run) -> None:
        self._channel = _Channel(run)
        self._thread: Optional[threading.Thread] = None
        self._ended = False

    # ---- Reading ----

    def _start(self) -> None:
        if self._thread is None and not self._ended:
            self._thread = threading.Thread(target=self._channel.work, name="nextoken-stream")
            self._thread.start()

    def _given(self, item: _Item) -> Optional[Piece]:
        if isinstance(item, Piece):
            return item
        self._ended = True
        if self._thread is not None:
            self._thread.join()
        if item is not None:
            raise item
        return None

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> Piece:
        if self._ended:
            raise StopIteration
        self._start()
        channel = self._channel
        try:
            with channel.ready:
                while not channel.items:
                    channel.ready.wait()
                item = channel.items.popleft()
        except BaseException:  # Ctrl-C
            self.close()
            raise
        piece = self._given(item)
        if piece is None:
            raise StopIteration
        return piece

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Piece:
        if self._ended:
            raise StopAsyncIteration
        self._start()
        channel = self._channel
        try:
            while True:
                with channel.ready:
                    if channel.items:
                        item = channel.items.popleft()
                        break
                    loop = asyncio.get_running_loop()
                    future = loop.create_future()
                    channel.waiting = loop, future
                await future
        except BaseException:  # the task is cancelled
            channel.left = True
            raise
        piece = self._given(item)
        if piece is None:
            raise StopAsyncIteration
        return piece

    # ---- The end ----

    @property
    def result(self) -> "Generation":
        """The Generation; reads what is left first."""
        for _ in self:
            pass
        made: "Optional[Generation]" = self._channel.result
        if made is None:
            raise ValueError("the stream was closed before it had a result")
        return made

    def close(self) -> None:
        """Ends generation; what there is so far is the result."""
        self._channel.left = True
        if self._thread is not None:
            self._thread.join()
        self._ended = True

    async def aclose(self) -> None:
        """The same, without holding up the event loop."""
        self._channel.left = True
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        self._ended = True

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    async def __aenter__(self) -> "Stream":
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.aclose()

    def __del__(self) -> None:
        self._channel.left = True

    def __repr__(self) -> str:
        state = "ended" if self._ended else "running" if self._thread is not None else "not begun"
        return f"<nextoken.Stream: {state}>"
