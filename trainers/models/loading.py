"""Loading a model with its tokenizer, by name or from a folder."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from agentgym_gen.errors import AgentGymGenError, DataError, InvalidValueError, missing_extra
from agentgym_gen.trainers.models.adapters import base_of, is_adapter, load_adapter
from agentgym_gen.trainers.models.checks.settings import check_settings
from agentgym_gen.trainers.models.checks.weights import check_finite, check_keys
from agentgym_gen.trainers.models.device import choose_threads, local_device
from agentgym_gen.trainers.models.smollm2 import SMOLLM2, model_folder
from agentgym_gen.trainers.models.tiny import build_tiny
from agentgym_gen.trainers.models.types import Model, Tokenizer

__all__ = ["LOG", "TINY", "load_model", "load_tokenizer", "resolve_model"]

LOG = logging.getLogger(__name__)

TINY = "rftgen-tiny"
"""The name of a model that is built with random weights and a vocabulary from texts."""


def resolve_model(
    model: Model | str | Path,
    tokenizer: Tokenizer | None,
    *,
    vocabulary_texts: Callable[[], list[str]],
    seed: int = 0,
    load_in_8bit: bool = False,
    attn_implementation: str = "",
) -> tuple[Model, Tokenizer]:
    """Return a model and its tokenizer.

    Args:
        model: A model, or a name for `load_model`, or ``rftgen-tiny``.
        tokenizer: The tokenizer of a model that is passed as an object; beside a name it replaces
            the model's own.
        vocabulary_texts: Returns the texts from which the vocabulary of ``rftgen-tiny`` is made;
            called for that name only.
        seed: The root of the weights of ``rftgen-tiny``.
        load_in_8bit: Whether the weights of a model that is loaded are quantised to 8 bits.
        attn_implementation: The kernel of attention of a model that is loaded; empty is what
            transformers takes.

    Raises:
        InvalidValueError: if a model is passed without its tokenizer.
        DataError: if there is no such model.
    """
    if not isinstance(model, str | Path):
        if tokenizer is None:
            raise InvalidValueError(
                "A model that is given as an object needs `tokenizer`; a name or folder has its own"
            )
        return model, tokenizer
    if str(model) == TINY:
        return build_tiny(vocabulary_texts(), seed)
    loaded, own_tokenizer = load_model(
        model, load_in_8bit=load_in_8bit, attn_implementation=attn_implementation
    )
    return loaded, own_tokenizer if tokenizer is None else tokenizer


def load_model(
    name: str | Path,
    *,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    load_in_8bit: bool = False,
    attn_implementation: str = "",
) -> tuple[Model, Tokenizer]:
    """Return the causal language model *name* and its tokenizer.

    Args:
        name: A name on the hub, a folder (one that holds an adapter loads its base as well), or
            ``smollm2``, which needs no hub.
        device: Where it runs; None takes this process's GPU if there is one.
        dtype: The precision; None is bfloat16 on a GPU, and single precision on a CPU, because most
            CPUs compute bfloat16 several times slower.
        load_in_8bit: Whether the base's weights are quantised to 8 bits, beside an adapter.
        attn_implementation: The kernel of attention, such as ``sdpa``; empty is what transformers
            takes.

    Raises:
        DataError: if there is no such model, its settings and its weights do not fit each other, or
            a weight is no number.
        MissingExtraError: if `load_in_8bit` is set and bitsandbytes is not installed.
    """
    target = device or local_device()
    precision = dtype or (torch.bfloat16 if target.startswith("cuda") else torch.float32)
    source = _source(name)
    extra: dict[str, Any] = (
        {"quantization_config": _eight_bit_config(), "device_map": target} if load_in_8bit else {}
    )
    if attn_implementation:
        extra["attn_implementation"] = attn_implementation
    adapter = Path(source) if is_adapter(Path(source)) else None
    base = source if adapter is None else base_of(adapter)
    tokenizer = load_tokenizer(name)
    try:
        model = _load_weights(base, dtype=precision, **extra)
        model = model.eval() if load_in_8bit else model.to(target).eval()
        if adapter is not None:
            model = load_adapter(model, adapter)
    except (torch.OutOfMemoryError, AgentGymGenError):
        raise
    except Exception as error:
        raise _unreadable(source, error) from error
    choose_threads(model)
    LOG.info("Loaded %s on %s in %s", source, target, precision)
    return model, tokenizer


def load_tokenizer(name: str | Path) -> Tokenizer:
    """Return the tokenizer of the model *name*, a name for `load_model`.

    Raises:
        DataError: if there is none.
    """
    source = _source(name)
    folder = Path(source)
    has_own = not is_adapter(folder) or (folder / "tokenizer_config.json").is_file()
    try:
        return AutoTokenizer.from_pretrained(
            source if has_own else base_of(folder), trust_remote_code=False
        )
    except AgentGymGenError:
        raise
    except Exception as error:  # tokenizers raises plain ones for a damaged file
        raise _unreadable(source, error) from error


def _source(name: str | Path) -> str:
    return str(model_folder() if str(name) == SMOLLM2 else name)


def _unreadable(source: str, error: Exception) -> DataError:
    return DataError(
        f"Cannot load the model {source!r}: it is neither a folder with a whole model, its weights "
        f"in safetensors, nor a name that the hub answers now ({error})"
    )


def _load_weights(source: str, **settings: Any) -> Model:  # noqa: ANN401  (passed on)
    """Return the model *source*, whose settings and weights are those of a model."""
    check_settings(source)
    load: Any = AutoModelForCausalLM.from_pretrained
    model, loading_info = load(
        source,
        use_safetensors=True,
        trust_remote_code=False,
        output_loading_info=True,
        **settings,
    )
    check_keys(loading_info, source)
    check_finite(model, source)
    return model


def _eight_bit_config() -> object:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise missing_extra("bitsandbytes", "quant", "A base of 8 bits")
    from transformers import BitsAndBytesConfig

    # bitsandbytes warns at every matrix product that is not in half precision
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    return BitsAndBytesConfig(load_in_8bit=True)  # type: ignore[no-untyped-call]
