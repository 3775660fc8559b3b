"""A program over nextoken.transformers, as mypy --strict reads it. Never run."""

from typing import Any, Dict, List, Optional

from nextoken.transformers import (AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer, BatchEncoding,
                                   DynamicCache, GenerationConfig, GenerationMixin, GPT2LMHeadModel,
                                   LogitsProcessor, LogitsProcessorList, PreTrainedTokenizerBase,
                                   StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer, TextStreamer,
                                   TopKLogitsWarper, pipeline, set_seed)
from nextoken.transformers.generation import GenerateDecoderOnlyOutput
from nextoken.transformers.outputs import CausalLMOutputWithCrossAttentions, CausalLMOutputWithPast


class Ban(LogitsProcessor):
    def __call__(self, input_ids: Any, scores: Any) -> Any:
        return scores


class Stop(StoppingCriteria):
    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> bool:
        return True


def types() -> None:
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained("gpt2", padding_side="left")
    encoding: BatchEncoding = tokenizer(["a", "b"], return_tensors="pt", padding=True)
    ids: List[int] = tokenizer.encode("a")
    text: str = tokenizer.decode(ids) + tokenizer.batch_decode([ids])[0]
    number: int = tokenizer.convert_tokens_to_ids("a")
    numbers: List[int] = tokenizer.convert_tokens_to_ids(["a"])
    vocabulary: Dict[str, int] = tokenizer.get_vocab()
    pad: Optional[int] = tokenizer.pad_token_id
    model = AutoModelForCausalLM.from_pretrained("gpt2", pad_token_id=0).to("cpu").eval()
    out: CausalLMOutputWithPast = model(encoding.input_ids, labels=encoding.input_ids)
    gpt2: GPT2LMHeadModel = GPT2LMHeadModel.from_pretrained("gpt2").eval()
    more: CausalLMOutputWithCrossAttentions = gpt2(encoding["input_ids"], past_key_values=DynamicCache())
    mixin: GenerationMixin = gpt2
    loss = out.loss + more.logits[0] + out[:2][0] + AutoModel.from_pretrained("gpt2")(ids).last_hidden_state
    found = model.generate(**encoding, logits_processor=LogitsProcessorList([Ban(), TopKLogitsWarper(3)]),
                           stopping_criteria=StoppingCriteriaList([Stop()]),
                           streamer=TextStreamer(tokenizer, skip_prompt=True), assistant_model=gpt2,
                           generation_config=GenerationConfig.from_pretrained("gpt2", max_new_tokens=3))
    assert isinstance(found, GenerateDecoderOnlyOutput)
    model.compute_transition_scores(found.sequences, found.scores or ())
    pieces: List[str] = list(TextIteratorStreamer(tokenizer))
    n: int = gpt2.num_parameters() + AutoConfig.from_pretrained("gpt2").vocab_size
    set_seed(0)
    told = pipeline("text-generation", model="gpt2")("a", max_new_tokens=3)[0]["generated_text"]


def wrong(model: GPT2LMHeadModel) -> None:
    model.generate(streamer=3)  # type: ignore[arg-type]
    AutoTokenizer.from_pretrained(3)  # type: ignore[arg-type]
    AutoTokenizer.from_pretrained("gpt2").padding_side = 5  # type: ignore[assignment]
