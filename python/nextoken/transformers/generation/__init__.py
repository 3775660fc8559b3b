"""Generation: generate() and what it takes and gives. The modules have the names of transformers'."""

import importlib

_NAMES = {
    "mixin": ["GenerationMixin"],
    "utils": ["GenerateBeamDecoderOnlyOutput", "GenerateDecoderOnlyOutput", "compute_transition_scores",
              "generate"],
    "logits_process": [
        "AlternatingCodebooksLogitsProcessor", "BarkEosPrioritizerLogitsProcessor",
        "ClassifierFreeGuidanceLogitsProcessor", "EncoderNoRepeatNGramLogitsProcessor",
        "EncoderRepetitionPenaltyLogitsProcessor", "EpsilonLogitsWarper", "EtaLogitsWarper",
        "ExponentialDecayLengthPenalty", "ForcedBOSTokenLogitsProcessor",
        "ForcedEOSTokenLogitsProcessor", "InfNanRemoveLogitsProcessor", "LogitNormalization",
        "LogitsProcessor", "LogitsProcessorList", "MinLengthLogitsProcessor",
        "MinNewTokensLengthLogitsProcessor", "MinPLogitsWarper", "NoBadWordsLogitsProcessor",
        "NoRepeatNGramLogitsProcessor", "PrefixConstrainedLogitsProcessor",
        "RepetitionPenaltyLogitsProcessor", "SequenceBiasLogitsProcessor",
        "SuppressTokensAtBeginLogitsProcessor", "SuppressTokensLogitsProcessor",
        "TemperatureLogitsWarper", "TopHLogitsWarper", "TopKLogitsWarper", "TopPLogitsWarper",
        "TypicalLogitsWarper", "UnbatchedClassifierFreeGuidanceLogitsProcessor"],
    "stopping_criteria": ["ConfidenceCriteria", "EosTokenCriteria", "MaxLengthCriteria",
                          "MaxTimeCriteria", "StopStringCriteria", "StoppingCriteria",
                          "StoppingCriteriaList", "validate_stopping_criteria"],
}
_ELSEWHERE = {
    "..generation_config": ["GenerationConfig", "GenerationMode", "WatermarkingConfig"],
    "..streamers": ["AsyncTextIteratorStreamer", "BaseStreamer", "TextIteratorStreamer", "TextStreamer"],
}
_where = {name: module for names in ({"." + k: v for k, v in _NAMES.items()}, _ELSEWHERE)
          for module, listed in names.items() for name in listed}

__all__ = [name for listed in _NAMES.values() for name in listed]


def __getattr__(name):
    if name not in _where:
        raise AttributeError(f"nextoken.transformers.generation has no {name!r}")
    value = getattr(importlib.import_module(_where[name], __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_where})
