"""AutoModelForCausalLM and AutoModel: the class that a checkpoint is of."""

__all__ = ["AutoModel", "AutoModelForCausalLM"]


class AutoModelForCausalLM:
    """Opens any language model of the families of nextoken as its own class."""

    def __init__(self, *args, **kwargs):
        raise OSError(f"{type(self).__name__} is designed to be instantiated using "
                      f"`{type(self).__name__}.from_pretrained(name)`")

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *model_args, **kwargs):
        """The model of a folder, a file or a name: a GPT2LMHeadModel, a LlamaForCausalLM, ..."""
        from .loading import load

        return load(None, pretrained_model_name_or_path, *model_args, **kwargs)

    @classmethod
    def from_config(cls, config, **kwargs):
        raise NotImplementedError("from_config makes a model with random weights, to be trained, which nextoken "
                                  "does not do: use from_pretrained(name or folder)")


class AutoModel(AutoModelForCausalLM):
    """The same without the head: a GPT2Model, a LlamaModel, ..."""

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *model_args, **kwargs):
        from .headless import HEADLESS
        from .loading import load

        return load(None, pretrained_model_name_or_path, *model_args, classes=HEADLESS, **kwargs)
