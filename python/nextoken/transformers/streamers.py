"""Streamers: generate() puts ids into them, text comes out as soon as its words are whole."""

import asyncio
from queue import Queue

__all__ = ["AsyncTextIteratorStreamer", "BaseStreamer", "TextIteratorStreamer", "TextStreamer"]

# Characters of Chinese, which stand alone: a text may be cut behind each of them.
_CHINESE = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
            (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))


class BaseStreamer:
    """What generate(streamer=...) takes: put(ids) for the prompt and each new token, end() at the end."""

    def put(self, value):
        raise NotImplementedError()

    def end(self):
        raise NotImplementedError()


class TextStreamer(BaseStreamer):
    """Prints text as it grows, word by word.

    skip_prompt: leaves the prompt out. The other keywords go to tokenizer.decode().
    """

    def __init__(self, tokenizer, skip_prompt=False, **decode_kwargs):
        self.tokenizer = tokenizer
        self.skip_prompt = skip_prompt
        self.decode_kwargs = decode_kwargs
        self.token_cache = []  # ids since the last line's end
        self.print_len = 0     # characters of their text that are out
        self.next_tokens_are_prompt = True

    def put(self, value):
        """Takes ids [n] or [1, n], and hands on the words that they complete."""
        if len(value.shape) > 1:
            if value.shape[0] > 1:
                raise ValueError("TextStreamer only supports batch size 1")
            value = value[0]
        if self.skip_prompt and self.next_tokens_are_prompt:
            self.next_tokens_are_prompt = False
            return
        ids = value.tolist()
        self.token_cache.extend(ids if isinstance(ids, list) else [ids])
        text = self.tokenizer.decode(self.token_cache, **self.decode_kwargs)
        if text.endswith("\n"):
            new = text[self.print_len:]
            self.token_cache, self.print_len = [], 0
        else:
            whole = len(text) if text and self._is_chinese_char(ord(text[-1])) else text.rfind(" ") + 1
            new = text[self.print_len:whole]
            self.print_len += len(new)
        self.on_finalized_text(new)

    def end(self):
        """Hands on what is left."""
        new = ""
        if self.token_cache:
            new = self.tokenizer.decode(self.token_cache, **self.decode_kwargs)[self.print_len:]
            self.token_cache, self.print_len = [], 0
        self.next_tokens_are_prompt = True
        self.on_finalized_text(new, stream_end=True)

    def on_finalized_text(self, text, stream_end=False):
        """Prints a piece of text; subclasses do with it what they like."""
        print(text, flush=True, end=None if stream_end else "")

    def _is_chinese_char(self, cp):
        return any(low <= cp <= high for low, high in _CHINESE)


class TextIteratorStreamer(TextStreamer):
    """An iterator of the pieces, for another thread than the one that generates.

    timeout: seconds to wait for a piece before queue.Empty is raised; None: for ever.
    """

    def __init__(self, tokenizer, skip_prompt=False, timeout=None, **decode_kwargs):
        super().__init__(tokenizer, skip_prompt, **decode_kwargs)
        self.text_queue = Queue()
        self.stop_signal = None
        self.timeout = timeout

    def on_finalized_text(self, text, stream_end=False):
        self.text_queue.put(text, timeout=self.timeout)
        if stream_end:
            self.text_queue.put(self.stop_signal, timeout=self.timeout)

    def __iter__(self):
        return self

    def __next__(self):
        value = self.text_queue.get(timeout=self.timeout)
        if value == self.stop_signal:
            raise StopIteration()
        return value


class AsyncTextIteratorStreamer(TextStreamer):
    """An asynchronous iterator of the pieces, made in a coroutine, filled from another thread.

    timeout: seconds to wait for a piece before TimeoutError is raised; None: for ever.
    """

    def __init__(self, tokenizer, skip_prompt=False, timeout=None, **decode_kwargs):
        super().__init__(tokenizer, skip_prompt, **decode_kwargs)
        self.loop = asyncio.get_running_loop()
        self.text_queue = asyncio.Queue()
        self.stop_signal = None
        self.timeout = timeout

    def on_finalized_text(self, text, stream_end=False):
        self.loop.call_soon_threadsafe(self.text_queue.put_nowait, text)
        if stream_end:
            self.loop.call_soon_threadsafe(self.text_queue.put_nowait, self.stop_signal)

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            value = await asyncio.wait_for(self.text_queue.get(), self.timeout)
        except asyncio.TimeoutError:
            raise TimeoutError("no further text within the timeout") from None
        if value == self.stop_signal:
            raise StopAsyncIteration()
        return value
