# What __init__.py offers, for type checkers and editors.
from .mixin import (
    GenerationMixin as GenerationMixin,
)
from .utils import (
    GenerateBeamDecoderOnlyOutput as GenerateBeamDecoderOnlyOutput,
    GenerateDecoderOnlyOutput as GenerateDecoderOnlyOutput,
    compute_transition_scores as compute_transition_scores, generate as generate,
)
from .logits_process import (
    AlternatingCodebooksLogitsProcessor as AlternatingCodebooksLogitsProcessor,
    BarkEosPrioritizerLogitsProcessor as BarkEosPrioritizerLogitsProcessor,
    ClassifierFreeGuidanceLogitsProcessor as ClassifierFreeGuidanceLogitsProcessor,
    EncoderNoRepeatNGramLogitsProcessor as EncoderNoRepeatNGramLogitsProcessor,
    EncoderRepetitionPenaltyLogitsProcessor as EncoderRepetitionPenaltyLogitsProcessor,
    EpsilonLogitsWarper as EpsilonLogitsWarper, EtaLogitsWarper as EtaLogitsWarper,
    ExponentialDecayLengthPenalty as ExponentialDecayLengthPenalty,
    ForcedBOSTokenLogitsProcessor as ForcedBOSTokenLogitsProcessor,
    ForcedEOSTokenLogitsProcessor as ForcedEOSTokenLogitsProcessor,
    InfNanRemoveLogitsProcessor as InfNanRemoveLogitsProcessor, LogitNormalization as LogitNormalization,
    LogitsProcessor as LogitsProcessor, LogitsProcessorList as LogitsProcessorList,
    MinLengthLogitsProcessor as MinLengthLogitsProcessor,
    MinNewTokensLengthLogitsProcessor as MinNewTokensLengthLogitsProcessor,
    MinPLogitsWarper as MinPLogitsWarper, NoBadWordsLogitsProcessor as NoBadWordsLogitsProcessor,
    NoRepeatNGramLogitsProcessor as NoRepeatNGramLogitsProcessor,
    PrefixConstrainedLogitsProcessor as PrefixConstrainedLogitsProcessor,
    RepetitionPenaltyLogitsProcessor as RepetitionPenaltyLogitsProcessor,
    SequenceBiasLogitsProcessor as SequenceBiasLogitsProcessor,
    SuppressTokensAtBeginLogitsProcessor as SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor as SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper as TemperatureLogitsWarper, TopHLogitsWarper as TopHLogitsWarper,
    TopKLogitsWarper as TopKLogitsWarper, TopPLogitsWarper as TopPLogitsWarper,
    TypicalLogitsWarper as TypicalLogitsWarper,
    UnbatchedClassifierFreeGuidanceLogitsProcessor as UnbatchedClassifierFreeGuidanceLogitsProcessor,
)
from .stopping_criteria import (
    ConfidenceCriteria as ConfidenceCriteria, EosTokenCriteria as EosTokenCriteria,
    MaxLengthCriteria as MaxLengthCriteria, MaxTimeCriteria as MaxTimeCriteria,
    StopStringCriteria as StopStringCriteria, StoppingCriteria as StoppingCriteria,
    StoppingCriteriaList as StoppingCriteriaList, validate_stopping_criteria as validate_stopping_criteria,
)
from ..generation_config import (
    GenerationConfig as GenerationConfig, GenerationMode as GenerationMode,
    WatermarkingConfig as WatermarkingConfig,
)
from ..streamers import (
    AsyncTextIteratorStreamer as AsyncTextIteratorStreamer, BaseStreamer as BaseStreamer,
    TextIteratorStreamer as TextIteratorStreamer, TextStreamer as TextStreamer,
)
