"""AutoModelForCausalLM: the class that a checkpoint is of."""

__all__ = ["AutoModelForCausalLM"]


class AutoModelForCausalLM:
    """Opens any language model of the families of nextoken as its own class."""

    def __init__(self, *args, **kwargs):
        raise OSError("AutoModelForCausalLM is designed to be instantiated using "
                      "`AutoModelForCausalLM.from_pretrained(name)`")

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *model_args, **kwargs):
        """The model of a folder, a file or a name: a GPT2LMHeadModel, a LlamaForCausalLM, ..."""
        from .loading import load

        return load(None, pretrained_model_name_or_path, *model_args, **kwargs)

    @classmethod
    def from_config(cls, config, **kwargs):
        raise NotImplementedError("from_config makes a model with random weights, to be trained, which nextoken "
                                  "does not do: use from_pretrained(name or folder)")
