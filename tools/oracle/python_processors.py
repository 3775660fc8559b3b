"""Expected outcomes of the logits processors and stopping criteria that Python programs may call
themselves, from transformers.

    python tools/oracle/python_processors.py

Writes tests/python/expected/processors.json: for each class with its arguments the ids and scores that
it is called with and the scores that it returns, and what it refuses."""

import json
import math
import pathlib
import random

import torch
import transformers
from transformers.generation import logits_process as P
from transformers.generation import stopping_criteria as S

TARGET = pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "python" / "expected" \
    / "processors.json"
V = 24
IDS = [[3, 5, 7, 3, 5], [0, 0, 9, 11, 9]]
PROMPT = [[3, 5], [9, 11]]

#: (class, arguments); {"ids": ...} is a tensor of them.
CALLS = [
    ("MinLengthLogitsProcessor", [9, 4]), ("MinLengthLogitsProcessor", [9, [4, 6]]),
    ("MinLengthLogitsProcessor", [5, 4]), ("MinLengthLogitsProcessor", [9, {"ids": [4, 90]}]),
    ("MinNewTokensLengthLogitsProcessor", [3, 3, 4]), ("MinNewTokensLengthLogitsProcessor", [3, 2, 4]),
    ("TemperatureLogitsWarper", [0.7]), ("TemperatureLogitsWarper", [3.0]),
    ("RepetitionPenaltyLogitsProcessor", [1.6]), ("RepetitionPenaltyLogitsProcessor", [0.5]),
    ("RepetitionPenaltyLogitsProcessor", [1.6, 2]),
    ("RepetitionPenaltyLogitsProcessor", [1.6, {"ids": [0, 3]}]),
    ("EncoderRepetitionPenaltyLogitsProcessor", [1.6, {"ids": PROMPT}]),
    ("EncoderRepetitionPenaltyLogitsProcessor", [0.8, {"ids": [[3, 9]]}]),
    ("TopPLogitsWarper", [0.7]), ("TopPLogitsWarper", [0.2]), ("TopPLogitsWarper", [0.0]),
    ("TopPLogitsWarper", [0.1, -5.0, 3]), ("TopPLogitsWarper", [1.0]),
    ("TopKLogitsWarper", [4]), ("TopKLogitsWarper", [200]), ("TopKLogitsWarper", [1, -100.0, 3]),
    ("TopHLogitsWarper", [0.4]), ("TopHLogitsWarper", [0.97]), ("TopHLogitsWarper", [0.05]),
    ("MinPLogitsWarper", [0.3]), ("MinPLogitsWarper", [0.9, -math.inf, 4]), ("MinPLogitsWarper", [0.0]),
    ("TypicalLogitsWarper", [0.5]), ("TypicalLogitsWarper", [0.95]),
    ("TypicalLogitsWarper", [0.1, -math.inf, 3]),
    ("EpsilonLogitsWarper", [0.03]), ("EpsilonLogitsWarper", [0.9, -math.inf, 2]),
    ("EtaLogitsWarper", [0.05]), ("EtaLogitsWarper", [0.9, -math.inf, 2]),
    ("NoRepeatNGramLogitsProcessor", [1]), ("NoRepeatNGramLogitsProcessor", [2]),
    ("NoRepeatNGramLogitsProcessor", [3]), ("NoRepeatNGramLogitsProcessor", [9]),
    ("EncoderNoRepeatNGramLogitsProcessor", [1, {"ids": PROMPT}]),
    ("EncoderNoRepeatNGramLogitsProcessor", [2, {"ids": [[3, 5, 8, 5, 2], [9, 11, 9, 8, 9]]}]),
    ("EncoderNoRepeatNGramLogitsProcessor", [2, {"ids": [5, 8, 9, 2]}]),
    ("SequenceBiasLogitsProcessor", [[[[4], 2.5], [[5, 9], -3.0], [[3, 5, 9], 8.0]]]),
    ("SequenceBiasLogitsProcessor", [[[[4, 4, 4, 4, 4, 4, 4], 2.5], [[9, 1], math.inf]]]),
    ("NoBadWordsLogitsProcessor", [[[4], [5, 9], [6]], 6]),
    ("NoBadWordsLogitsProcessor", [[[4], [9, 2]], None]),
    ("NoBadWordsLogitsProcessor", [[[4], [6, 5]], {"ids": [4]}]),
    ("ForcedBOSTokenLogitsProcessor", [4]), ("ForcedEOSTokenLogitsProcessor", [6, 4]),
    ("ForcedEOSTokenLogitsProcessor", [6, [4, 5]]), ("ForcedEOSTokenLogitsProcessor", [7, 4]),
    ("InfNanRemoveLogitsProcessor", []),
    ("ExponentialDecayLengthPenalty", [[1, 1.3], 4, 2]),
    ("ExponentialDecayLengthPenalty", [[1, 1.3], [4, 5], 9]),
    ("LogitNormalization", []), ("SuppressTokensLogitsProcessor", [[1, 2, 99]]),
    ("SuppressTokensAtBeginLogitsProcessor", [[1, 2], 5]),
    ("SuppressTokensAtBeginLogitsProcessor", [[1, 2], 4]),
    ("AlternatingCodebooksLogitsProcessor", [3, 6, 8]), ("AlternatingCodebooksLogitsProcessor", [2, 6, 8]),
    ("BarkEosPrioritizerLogitsProcessor", [4, 0.01]), ("BarkEosPrioritizerLogitsProcessor", [[4, 5], 0.9]),
    ("ClassifierFreeGuidanceLogitsProcessor", [1.7]),
    # refused
    ("MinLengthLogitsProcessor", [-1, 4]), ("MinLengthLogitsProcessor", [2.5, 4]),
    ("TemperatureLogitsWarper", [0.0]), ("TemperatureLogitsWarper", [1]), ("TopKLogitsWarper", [0]),
    ("TopKLogitsWarper", [2.5]), ("TopPLogitsWarper", [1.2]), ("TopPLogitsWarper", [0.5, -1.0, 0]),
    ("TopHLogitsWarper", [0.0]), ("MinPLogitsWarper", [-0.1]), ("TypicalLogitsWarper", [1.0]),
    ("EpsilonLogitsWarper", [0.0]), ("EtaLogitsWarper", [1.0]), ("NoRepeatNGramLogitsProcessor", [0]),
    ("RepetitionPenaltyLogitsProcessor", [2]), ("RepetitionPenaltyLogitsProcessor", [1.5, -1]),
    ("EncoderRepetitionPenaltyLogitsProcessor", [0.0, {"ids": PROMPT}]),
    ("SequenceBiasLogitsProcessor", [[]]), ("SequenceBiasLogitsProcessor", [[[[4], 1]]]),
    ("SequenceBiasLogitsProcessor", [[[[99], 1.0]]]), ("NoBadWordsLogitsProcessor", [[[]]]),
    ("NoBadWordsLogitsProcessor", [[[-4]]]), ("ForcedEOSTokenLogitsProcessor", [6, -4]),
    ("ExponentialDecayLengthPenalty", [[1, 1.3], [-4], 2]),
    ("ClassifierFreeGuidanceLogitsProcessor", [1.0]),
]
CRITERIA = [
    ("MaxLengthCriteria", [5]), ("MaxLengthCriteria", [6]), ("MaxTimeCriteria", [1e9]),
    ("MaxTimeCriteria", [0.5, 1.0]), ("EosTokenCriteria", [5]), ("EosTokenCriteria", [[9, 1]]),
    ("EosTokenCriteria", [{"ids": [9]}]),
]


def build(value):
    return torch.tensor(value["ids"]) if isinstance(value, dict) else value


def tables(draw):
    """Scores to work on: plain, with ids at -inf, and few far above the others."""
    plain = [[round(draw.gauss(0, 2), 5) for _ in range(V)] for _ in IDS]
    masked = [[x if draw.random() < 0.5 else -math.inf for x in row] for row in plain]
    steep = [[round(4 * x, 5) for x in row] for row in plain]
    return plain, masked, steep


def words(value):
    if isinstance(value, list):
        return [words(x) for x in value]
    if isinstance(value, dict):
        return {key: words(x) for key, x in value.items()}
    if isinstance(value, float):
        return float("%.7g" % value) if math.isfinite(value) else str(value)
    return value


def run(name, arguments, table):
    ids = torch.tensor(IDS)
    scores = torch.tensor(table + table if name.startswith("ClassifierFree") else table)
    if name == "ForcedBOSTokenLogitsProcessor":
        ids = ids[:, :1]
    try:
        out = getattr(P, name)(*map(build, arguments))(ids, scores)
    except Exception as error:
        return {"refused": type(error).__name__}
    return {"out": out.tolist()}


def main():
    cases, given = [], tables(random.Random(3))
    for name, arguments in CALLS:
        for i, table in enumerate(given):
            case = {"class": name, "arguments": arguments, "table": i, **run(name, arguments, table)}
            cases.append(case)
            if "refused" in case:
                break
    for name, arguments in CRITERIA:
        out = getattr(S, name)(*map(build, arguments))(torch.tensor(IDS), None)
        cases.append({"class": name, "arguments": arguments, "ended": out.tolist()})
    head = json.dumps({"by": "tools/oracle/python_processors.py", "transformers": transformers.__version__,
                       "torch": torch.__version__, "ids": IDS, "tables": words(list(given))})[:-1]
    lines = ",\n".join(json.dumps(words(case), separators=(",", ":")) for case in cases)
    TARGET.write_text(head + ',"cases":[\n' + lines + "\n]}\n", encoding="utf-8")
    print(len(cases), "cases,", TARGET.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
