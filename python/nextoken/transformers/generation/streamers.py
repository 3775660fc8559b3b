"""The streamers, where transformers has them."""

from ..streamers import *  # noqa: F401,F403
