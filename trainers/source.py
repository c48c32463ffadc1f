"""From what a user calls a model to a model with its tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.config import TrainConfig
from agentgym_gen.trainers.demos import expert_texts
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.models.loading import load_model
from agentgym_gen.trainers.models.tiny import build_tiny

TINY = "rftgen-tiny"
"""The name of a model that is built, with random weights, from the texts of the environments."""

TEXT_EPISODES = 200
"""How many expert episodes of each environment make its vocabulary."""


def resolve_model(
    model: Model | str | Path,
    tokenizer: Tokenizer | None,
    envs: Sequence[str],
    style: PromptStyle,
    args: TrainConfig,
) -> tuple[Model, Tokenizer]:
    """Return a model and its tokenizer.

    Args:
        model: A model, or a name for `load_model`, or ``rftgen-tiny``.
        tokenizer: The tokenizer of a model that is given as an object.
        envs: The environments from whose texts ``rftgen-tiny`` is built.
        style: How they are put to it.
        args: The settings, for the seed and the quantisation.

    Raises:
        InvalidValueError: if a model is given without its tokenizer.
        DataError: if there is no such model.
    """
    if not isinstance(model, str | Path):
        if tokenizer is None:
            raise InvalidValueError(
                "A model that is given as an object needs `tokenizer`; a name or folder has its own"
            )
        return model, tokenizer
    if str(model) == TINY:
        texts: list[str] = []
        for env_id in envs:
            texts += expert_texts([env_id], style, number=TEXT_EPISODES, seed=args.seed)
        return build_tiny(texts, args.seed)
    found, its_own = load_model(model, load_in_8bit=args.load_in_8bit)
    return found, its_own if tokenizer is None else tokenizer
