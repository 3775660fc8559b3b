"""A program over the package's own names, as mypy --strict reads it. Never run."""

from typing import List

import nextoken
import numpy as np


def types() -> None:
    m: nextoken.Model = nextoken.load("gpt2", threads=1)
    one: nextoken.Next = m.next("Alice", k=5, temperature=0.7)
    several: nextoken.Results[nextoken.Next] = m.next(["Alice", "was"])
    probability: float = one[0].prob + several[0][0].prob
    text: str = m.generate("Alice", max_new_tokens=3, num_beams=2)[0].text
    pieces: List[nextoken.Piece] = list(m.generate("Alice", stream=True))
    logprob: float = m.score("Alice").logprob + m.score(["Alice"])[0].logprob
    endings: nextoken.Continuations = m.score("Alice", continuations=[" was"])
    perplexity: float = m.perplexity("Alice was").perplexity
    choice: nextoken.Candidate = m.steps("Alice")[0].choices[0]
    states = m.inspect("Alice", hidden_states=True).hidden_states
    n: int = m.info.n_layer + len(m.tokenizer.encode("Alice"))
    session: nextoken.Session = m.session()
    with session.capture(["block_out"]) as seen:
        logits = session.forward(session.sequence(), [1], want="all")
        array: np.ndarray = seen["block_out"]
    compared: nextoken.TensorsCompared = nextoken.diff("a", "b")


async def stream(m: nextoken.Model) -> str:
    return "".join([piece async for piece in m.generate("Alice", stream=True)])


def wrong(m: nextoken.Model) -> None:
    m.next("Alice", temprature=0.5)  # type: ignore[call-overload]
    m.score("Alice", by="words")  # type: ignore[arg-type]
    nextoken.load(3)  # type: ignore[arg-type]
