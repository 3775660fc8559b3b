"""generate() and compute_transition_scores() as methods. Nothing of them is imported before it is called."""

__all__ = ["GenerationMixin"]


class GenerationMixin:
    """What models that write derive from."""

    @classmethod
    def can_generate(cls):
        """Whether it has a head to write with."""
        return True

    def generate(self, inputs=None, generation_config=None, logits_processor=None, stopping_criteria=None,
                 prefix_allowed_tokens_fn=None, synced_gpus=None, assistant_model=None, streamer=None,
                 negative_prompt_ids=None, negative_prompt_attention_mask=None, custom_generate=None, **kwargs):
        """Continues each prompt of inputs (or input_ids=) [B, T]: ids [B n, T + N], padded at their ends,
        or with return_dict_in_generate=True a GenerateDecoderOnlyOutput, of beams a
        GenerateBeamDecoderOnlyOutput.

        Options are those of generation_config and, by name, of transformers' GenerationConfig;
        docs/options.md explains each. attention_mask [B, T] marks padding with 0; it does not count.
        logits_processor, stopping_criteria: lists of LogitsProcessor and StoppingCriteria, called with all
        rows at each step. prefix_allowed_tokens_fn(batch_id, ids) lists what may come next.
        assistant_model: a smaller model with the same vocabulary, which drafts. streamer: put() gets the
        prompts, then the new ids of each step. tokenizer: for stop_strings.

        Draws follow torch's CPU generator: after torch.manual_seed(0) or set_seed(0) they are those of
        transformers. Tensors of torch give tensors, anything else NumPy's arrays. An option that is not
        built raises NotImplementedError with its name.
        """
        from .utils import generate

        return generate(self, inputs, generation_config, logits_processor, stopping_criteria,
                        prefix_allowed_tokens_fn, synced_gpus, assistant_model, streamer, negative_prompt_ids,
                        negative_prompt_attention_mask, custom_generate, **kwargs)

    def compute_transition_scores(self, sequences, scores, beam_indices=None, normalize_logits=False):
        """The score of every generated id, [rows of sequences, N], from the scores that generate() gave
        (and, of beams, beam_indices); 0 behind the end of a beam. normalize_logits: as log-probabilities."""
        from .utils import compute_transition_scores

        return compute_transition_scores(self, sequences, scores, beam_indices, normalize_logits)
