"""GenerationConfig, where transformers has it."""

from ..generation_config import *  # noqa: F401,F403
