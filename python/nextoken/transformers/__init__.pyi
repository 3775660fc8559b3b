# What __init__.py offers, for type checkers and editors.
from . import logging as logging
from . import utils as utils
from .auto import (
    AutoModel as AutoModel, AutoModelForCausalLM as AutoModelForCausalLM,
)
from .batch import (
    BatchEncoding as BatchEncoding, CharSpan as CharSpan, TensorType as TensorType, TokenSpan as TokenSpan,
)
from .cache import (
    Cache as Cache, DynamicCache as DynamicCache,
)
from .causal import (
    GPT2LMHeadModel as GPT2LMHeadModel, GPTNeoForCausalLM as GPTNeoForCausalLM,
    GPTNeoXForCausalLM as GPTNeoXForCausalLM, LlamaForCausalLM as LlamaForCausalLM,
    OPTForCausalLM as OPTForCausalLM, Qwen2ForCausalLM as Qwen2ForCausalLM,
)
from .config import (
    AutoConfig as AutoConfig, GPT2Config as GPT2Config, GPTNeoConfig as GPTNeoConfig,
    GPTNeoXConfig as GPTNeoXConfig, LlamaConfig as LlamaConfig, OPTConfig as OPTConfig,
    PreTrainedConfig as PreTrainedConfig, PretrainedConfig as PretrainedConfig, Qwen2Config as Qwen2Config,
)
from .generation import (
    AlternatingCodebooksLogitsProcessor as AlternatingCodebooksLogitsProcessor,
    BarkEosPrioritizerLogitsProcessor as BarkEosPrioritizerLogitsProcessor,
    ClassifierFreeGuidanceLogitsProcessor as ClassifierFreeGuidanceLogitsProcessor,
    ConfidenceCriteria as ConfidenceCriteria,
    EncoderNoRepeatNGramLogitsProcessor as EncoderNoRepeatNGramLogitsProcessor,
    EncoderRepetitionPenaltyLogitsProcessor as EncoderRepetitionPenaltyLogitsProcessor,
    EosTokenCriteria as EosTokenCriteria, EpsilonLogitsWarper as EpsilonLogitsWarper,
    EtaLogitsWarper as EtaLogitsWarper, ExponentialDecayLengthPenalty as ExponentialDecayLengthPenalty,
    ForcedBOSTokenLogitsProcessor as ForcedBOSTokenLogitsProcessor,
    ForcedEOSTokenLogitsProcessor as ForcedEOSTokenLogitsProcessor,
    GenerateBeamDecoderOnlyOutput as GenerateBeamDecoderOnlyOutput,
    GenerateDecoderOnlyOutput as GenerateDecoderOnlyOutput, GenerationMixin as GenerationMixin,
    InfNanRemoveLogitsProcessor as InfNanRemoveLogitsProcessor, LogitNormalization as LogitNormalization,
    LogitsProcessor as LogitsProcessor, LogitsProcessorList as LogitsProcessorList,
    MaxLengthCriteria as MaxLengthCriteria, MaxTimeCriteria as MaxTimeCriteria,
    MinLengthLogitsProcessor as MinLengthLogitsProcessor,
    MinNewTokensLengthLogitsProcessor as MinNewTokensLengthLogitsProcessor,
    MinPLogitsWarper as MinPLogitsWarper, NoBadWordsLogitsProcessor as NoBadWordsLogitsProcessor,
    NoRepeatNGramLogitsProcessor as NoRepeatNGramLogitsProcessor,
    PrefixConstrainedLogitsProcessor as PrefixConstrainedLogitsProcessor,
    RepetitionPenaltyLogitsProcessor as RepetitionPenaltyLogitsProcessor,
    SequenceBiasLogitsProcessor as SequenceBiasLogitsProcessor, StopStringCriteria as StopStringCriteria,
    StoppingCriteria as StoppingCriteria, StoppingCriteriaList as StoppingCriteriaList,
    SuppressTokensAtBeginLogitsProcessor as SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor as SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper as TemperatureLogitsWarper, TopHLogitsWarper as TopHLogitsWarper,
    TopKLogitsWarper as TopKLogitsWarper, TopPLogitsWarper as TopPLogitsWarper,
    TypicalLogitsWarper as TypicalLogitsWarper,
    UnbatchedClassifierFreeGuidanceLogitsProcessor as UnbatchedClassifierFreeGuidanceLogitsProcessor,
    compute_transition_scores as compute_transition_scores, generate as generate,
    validate_stopping_criteria as validate_stopping_criteria,
)
from .generation_config import (
    GenerationConfig as GenerationConfig, GenerationMode as GenerationMode,
    WatermarkingConfig as WatermarkingConfig,
)
from .headless import (
    GPT2Model as GPT2Model, GPTNeoModel as GPTNeoModel, GPTNeoXModel as GPTNeoXModel,
    LlamaModel as LlamaModel, OPTModel as OPTModel, Qwen2Model as Qwen2Model,
)
from .model import (
    GPT2PreTrainedModel as GPT2PreTrainedModel, GPTNeoPreTrainedModel as GPTNeoPreTrainedModel,
    GPTNeoXPreTrainedModel as GPTNeoXPreTrainedModel, LlamaPreTrainedModel as LlamaPreTrainedModel,
    OPTPreTrainedModel as OPTPreTrainedModel, PreTrainedModel as PreTrainedModel,
    Qwen2PreTrainedModel as Qwen2PreTrainedModel,
)
from .outputs import (
    BaseModelOutputWithPast as BaseModelOutputWithPast,
    BaseModelOutputWithPastAndCrossAttentions as BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutput as CausalLMOutput,
    CausalLMOutputWithCrossAttentions as CausalLMOutputWithCrossAttentions,
    CausalLMOutputWithPast as CausalLMOutputWithPast, ModelOutput as ModelOutput,
)
from .pipelines import (
    Pipeline as Pipeline, TextGenerationPipeline as TextGenerationPipeline, pipeline as pipeline,
)
from .seed import (
    enable_full_determinism as enable_full_determinism, set_seed as set_seed,
)
from .streamers import (
    AsyncTextIteratorStreamer as AsyncTextIteratorStreamer, BaseStreamer as BaseStreamer,
    TextIteratorStreamer as TextIteratorStreamer, TextStreamer as TextStreamer,
)
from .tokenization import (
    AutoTokenizer as AutoTokenizer, CodeGenTokenizer as CodeGenTokenizer, GPT2Tokenizer as GPT2Tokenizer,
    GPT2TokenizerFast as GPT2TokenizerFast, GPTNeoXTokenizer as GPTNeoXTokenizer,
    GPTNeoXTokenizerFast as GPTNeoXTokenizerFast, GemmaTokenizer as GemmaTokenizer,
    GemmaTokenizerFast as GemmaTokenizerFast, LlamaTokenizer as LlamaTokenizer,
    LlamaTokenizerFast as LlamaTokenizerFast, PreTrainedTokenizerFast as PreTrainedTokenizerFast,
    Qwen2Tokenizer as Qwen2Tokenizer, Qwen2TokenizerFast as Qwen2TokenizerFast,
    TokenizersBackend as TokenizersBackend,
)
from .tokenization_base import (
    PreTrainedTokenizerBase as PreTrainedTokenizerBase,
)
from .tokens import (
    AddedToken as AddedToken,
)

__version__: str
