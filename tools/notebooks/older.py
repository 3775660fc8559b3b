"""Runs inside the kernel of transformers, before the first cell. from_pretrained took options of generate() when the
printed notebooks were written, and kept them for later calls (transformers 4.57 still does); transformers 5 raises
TypeError. Here it takes them again, as nextoken.transformers does, so that there is something to compare with."""


def _as_before():
    import transformers

    original = transformers.PreTrainedModel.from_pretrained.__func__
    fields = set(transformers.GenerationConfig().to_dict())

    def from_pretrained(cls, *args, **kwargs):
        known = cls.config_class()
        options = {name: kwargs.pop(name) for name in fields & set(kwargs) if not hasattr(known, name)}
        model = original(cls, *args, **kwargs)
        for name, value in options.items():
            setattr(model.generation_config, name, value)
        return model

    transformers.PreTrainedModel.from_pretrained = classmethod(from_pretrained)


_as_before()
