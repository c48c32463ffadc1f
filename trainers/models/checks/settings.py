"""Whether the settings of a model can be those of its weights, before anything is built from them.

``config.json`` decides how much memory a model takes. A number that is damaged, or chosen to do
harm, would fill the memory or build layers for hours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig

from agentgym_gen.errors import DataError
from agentgym_gen.system.untrusted_files import MEGABYTE, parse_json, read_text

MAX_REPEATS = 4096
"""The most layers, blocks or experts; published models have a few hundred at most."""

MAX_POSITIONS = 1 << 28
"""The longest context; published models have 10 million tokens at most."""

MAX_PARAMETERS = 4_000_000_000_000
"""The most weights; the largest published models have one or two trillion."""

MAX_RATIO = 2.0
"""How many times as many weights the settings may describe as the files hold.

Files may lack what is tied to other weights, which is less than half of a model.
"""

PACKED = {"U8": 8, "I8": 8, "I16": 8, "I32": 8, "U32": 8}
"""How many quantised weights, at most, an entry of each integer type holds."""

_REPEATED, _POSITIONS = ("layer", "expert", "block"), ("position", "seq_len", "n_ctx")


def check_settings(source: str) -> None:
    """Raise if the model *source*, a folder or a name, has settings of absurd size.

    Raises:
        DataError: if it describes too many layers or weights, or many more than its files hold.
    """
    stored = _stored(source)
    for key, number in _numbers(_read_settings(source)):
        limit = _limit(key)
        if limit is not None and number > limit:
            raise DataError(
                f"The settings of the model {source!r} say {key!r}: {number}, and {limit} is the "
                "most that is built"
            )
        # Qwen's `max_window_layers` is 28 however few layers there are, and builds none
        counts_layers = "layers" in key and "window" not in key
        if stored.tensors and counts_layers and number > stored.tensors:
            raise DataError(
                f"The settings of the model {source!r} say {key!r}: {number}, and its files hold "
                f"{stored.tensors} tensors: 'config.json' is not that of these weights"
            )
    described = _described(source)
    if described > MAX_PARAMETERS:
        raise DataError(
            f"The settings of the model {source!r} describe {described:.3g} weights, and "
            f"{MAX_PARAMETERS:.3g} is the most that is built"
        )
    if stored.weights and described > MAX_RATIO * stored.weights:
        raise DataError(
            f"The settings of the model {source!r} describe {described:.3g} weights, and its files "
            f"hold {stored.weights:.3g}: 'config.json' is not that of these weights"
        )


def _read_settings(source: str) -> dict[str, Any]:
    """Return the settings as they stand in the file: building them can already be too much."""
    path = Path(source) / "config.json"
    if path.is_file():
        settings = parse_json(read_text(path, "Settings", MEGABYTE), repr(str(path)))
    else:
        settings, _ = PreTrainedConfig.get_config_dict(source)
    if not isinstance(settings, dict):
        raise DataError(f"The settings of the model {source!r} are no JSON object")
    return settings


def _numbers(value: object, key: str = "") -> Iterator[tuple[str, float]]:
    """Yield the numbers in *value*, however deep, each with its key."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _numbers(part, str(name))
    elif isinstance(value, list):
        for part in value:
            yield from _numbers(part, key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, value


def _limit(key: str) -> int | None:
    if any(part in key for part in _POSITIONS):
        return MAX_POSITIONS
    # such as num_hidden_layers, n_layer and num_local_experts; not layer_norm_eps, which is small
    return MAX_REPEATS if any(part in key for part in _REPEATED) and "size" not in key else None


def _described(source: str) -> int:
    """Return how many weights the settings describe: the model is built without memory."""
    config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    build: Any = AutoModelForCausalLM.from_config
    with torch.device("meta"):
        model = build(config, trust_remote_code=False)
    return sum(parameter.numel() for parameter in model.parameters())


class _Stored(NamedTuple):
    """What the files of a model hold."""

    tensors: int
    """How many tensors; 0 if the files are not there yet."""
    weights: int
    """How many numbers."""


def _stored(source: str) -> _Stored:
    """Return what the files of the model *source* hold, if it is a folder."""
    tensors, weights = 0, 0
    for path in sorted(Path(source).glob("*.safetensors")) if Path(source).is_dir() else ():
        try:
            with safe_open(path, framework="pt") as file:
                for key in file.keys():  # noqa: SIM118  (it is no dictionary)
                    part = file.get_slice(key)
                    packed = PACKED.get(str(part.get_dtype()), 1)
                    tensors, weights = tensors + 1, weights + math.prod(part.get_shape()) * packed
        except (SafetensorError, OSError) as error:
            raise DataError(
                f"Cannot load the model {source!r}: its weights {path.name!r} cannot be read "
                f"({error})"
            ) from error
    return _Stored(tensors, weights)
