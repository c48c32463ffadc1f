"""How much memory a training takes: a table by part, and the settings with which it would fit.

Each part has two numbers: what is likely, for episodes as long as their turns make them, and the
most, for episodes that fill their limit. Only parts that grow with the model and the settings are
counted; `PROCESS` stands for the libraries. Nothing here reads a weight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentgym_gen.trainers.config import RFTConfig, TrainConfig
from agentgym_gen.trainers.models.sizes.model_size import ModelSize

__all__ = ["Device", "MemoryEstimate", "Part", "Workload", "estimate_memory", "fitting_settings"]

PROCESS = 500 << 20
"""The bytes of Python, torch and transformers themselves, or of CUDA's context on a GPU."""

GROWTH = 1.25
"""A full buffer of keys and values is replaced by one so many times as wide."""

PREFIXES, LOGITS = 1 << 30, 1 << 26
"""The bytes at which the sampler drops its shared prefixes, and its logits."""

SAMPLING_BYTES = 24
"""The bytes for each logit of a step of sampling, beside the logit itself: scaled and as
log-probability in single precision, and two arrays in double precision."""

MIN_MICRO_BATCH = 1024
"""The fewest tokens of a micro batch that are proposed."""


@dataclass(frozen=True)
class Device:
    """Where a model would run."""

    name: str
    """What it is called: ``memory``, or the name of a GPU."""
    free: int | None
    """How many bytes are free; None where the system does not say."""
    weight_bytes: int
    """How many bytes a weight has there."""
    is_gpu: bool = False
    """Whether the device is a GPU."""
    processes: int = 1
    """How many processes train together, each of which needs this memory."""


@dataclass(frozen=True)
class Workload:
    """How long the token sequences of a training are, and how many of them a process has."""

    episodes: int
    """How many episodes a step plays; 0 where nothing is sampled."""
    tasks: int
    """Of how many tasks."""
    sequences: int
    """From how many token sequences an update is made, about."""
    sequence_tokens: int
    """How many tokens the longest sequence is likely to have."""
    prompt_tokens: int
    """How many tokens are before the first answer."""
    turn_tokens: int
    """How many tokens a turn adds to its sequence; with a window, those of the whole turn."""
    sampled_share: float
    """Which share of the tokens of a sequence is sampled."""
    growing: bool
    """Whether an episode is one growing sequence, and not one for each turn."""


@dataclass(frozen=True)
class Part:
    """One line of the table."""

    name: str
    """What takes the memory."""
    phase: str
    """``always``, ``rollout`` or ``update``: the last two come one after the other."""
    likely: int
    """How many bytes it is likely to take."""
    most: int
    """How many bytes it takes at most."""
    bound: str = ""
    """The settings that bound it."""


@dataclass(frozen=True)
class MemoryEstimate:
    """The memory of a training, part by part."""

    parts: tuple[Part, ...]
    """The parts."""

    @property
    def likely(self) -> int:
        """The bytes that are likely needed at once."""
        return self._peak(lambda part: part.likely)

    @property
    def most(self) -> int:
        """The bytes that are needed at most at once."""
        return self._peak(lambda part: part.most)

    def of(self, phase: str) -> int:
        """Return the likely bytes of *phase*, without what is always there."""
        return sum(part.likely for part in self.parts if part.phase == phase)

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table, its head first, with megabytes of 2^20 bytes."""
        rows = [
            (part.name, part.phase, _megabytes(part.likely), _megabytes(part.most), part.bound)
            for part in self.parts
            if part.most
        ]
        total = ("together", "at once", _megabytes(self.likely), _megabytes(self.most), "")
        return [("memory", "when", "likely, MB", "at most, MB", "bounded by"), *rows, total]

    def _peak(self, size: Callable[[Part], int]) -> int:
        by_phase = dict.fromkeys(("always", "rollout", "update"), 0)
        for part in self.parts:
            by_phase[part.phase] += size(part)
        return by_phase["always"] + max(by_phase["rollout"], by_phase["update"])


def estimate_memory(
    size: ModelSize, config: TrainConfig, work: Workload, device: Device
) -> MemoryEstimate:
    """Return how much memory a training of a model takes.

    Args:
        size: The size of the model, with the adapter of *config*.
        config: The settings.
        work: How long its sequences are.
        device: Where it runs.
    """
    parts = [*_always(size, config, device), *_update(size, config, work, device)]
    if isinstance(config, RFTConfig) and work.episodes:
        parts += _rollout(size, config, work, device)
    return MemoryEstimate(tuple(part for part in parts if part.most))


def _always(size: ModelSize, config: TrainConfig, device: Device) -> Iterator[Part]:
    # Divided weights are held in single precision, and each process has its part of everything.
    parts = device.processes if config.fsdp else 1
    weights = size.parameters * (4 if config.fsdp else device.weight_bytes)
    if config.load_in_8bit:
        weights -= size.linear * (device.weight_bytes - 1)
    yield _fixed("libraries", PROCESS)
    yield _fixed("weights", weights // parts, "the model, load_in_8bit, fsdp")
    yield _fixed("adapter", 4 * size.adapter, "lora_rank, lora_targets")
    # Weights below single precision have a master copy, and the gradient of a micro batch beside.
    rounded = not config.lora_rank and not config.fsdp and device.weight_bytes < 4
    each = 4 + 8 + (4 + device.weight_bytes if rounded else 0)
    optimizer = each * size.trained // parts
    yield _fixed("gradient and optimizer", optimizer, "lora_rank, lora_targets, fsdp")
    if isinstance(config, RFTConfig):
        copies = 4 * (config.max_valid_drop < 1)
        copies += (device.weight_bytes if rounded else 4) * bool(config.kl_coef)
        copied = copies * size.trained // parts
        yield _fixed("copies of what is trained", copied, "max_valid_drop, kl_coef, fsdp")


def _fixed(name: str, count: int, bound: str = "") -> Part:
    return Part(name, "always", count, count, bound)


def _rollout(size: ModelSize, config: RFTConfig, work: Workload, device: Device) -> Iterator[Part]:
    if config.fsdp:
        whole = size.parameters * device.weight_bytes
        yield Part("whole weights", "rollout", whole, whole)
    rows = min(config.max_concurrent, work.episodes)
    longest = min(size.context, config.max_episode_tokens or size.context)
    likely = min(work.sequence_tokens, longest)
    cache_bytes = size.cache_numbers * device.weight_bytes
    if config.bf16:
        cache_bytes = size.cache_numbers * 2
    bound = "max_concurrent, max_episode_tokens"
    yield Part(
        "keys and values",
        "rollout",
        int(rows * likely * cache_bytes * GROWTH),
        int(rows * longest * cache_bytes * GROWTH),
        bound,
    )
    # Growing sequences share their first prompt only; with a window every turn may be kept.
    kept = work.tasks * work.prompt_tokens if work.growing else work.sequences * likely
    most = (work.tasks if work.growing else work.sequences) * longest
    in_cache, at_most = (
        min(PREFIXES, int(tokens * cache_bytes * GROWTH)) for tokens in (kept, most)
    )
    yield Part("shared prefixes", "rollout", in_cache, at_most)
    logits = rows * size.vocabulary * (device.weight_bytes + SAMPLING_BYTES)
    logits += 0 if work.growing else LOGITS
    yield Part("logits of sampling", "rollout", logits, logits, "max_concurrent")
    # the widest part of a layer, and what goes into and comes out of it
    state = 4 * size.widest * device.weight_bytes
    yield Part(
        "a layer of a prompt",
        "rollout",
        max(rows * work.turn_tokens, min(rows, work.tasks) * work.prompt_tokens) * state,
        rows * max(work.prompt_tokens, work.turn_tokens) * state,
        "max_concurrent",
    )


def _update(size: ModelSize, config: TrainConfig, work: Workload, device: Device) -> Iterator[Part]:
    if config.fsdp:
        gathered = size.gathered * device.weight_bytes
        yield Part("weights of a layer", "update", gathered, gathered)
    longest = size.context
    if isinstance(config, RFTConfig) and config.max_episode_tokens:
        longest = min(longest, config.max_episode_tokens)
    likely = _activations(size, config, work, min(work.sequence_tokens, longest))
    most = max(likely, _activations(size, config, work, longest))
    bound = "micro_batch_tokens, gradient_checkpointing"
    yield Part("activations and logits", "update", likely, most, bound)


def _activations(size: ModelSize, config: TrainConfig, work: Workload, tokens: int) -> int:
    """Return the bytes of a micro batch of sequences of so many *tokens*.

    A sequence that is longer than a micro batch is one of its own.
    """
    tokens = max(2, min(tokens, MAX_ROW))
    rows = max(1, min(config.micro_batch_tokens // tokens, work.sequences))
    places = max(1, int(rows * tokens * work.sampled_share))
    kept = size.activations(rows, tokens, places, checkpointing=config.gradient_checkpointing)
    mask = rows * tokens * tokens * 4  # of a tree of sequences
    return kept + mask


MAX_ROW = 1 << 17
"""The longest row for which memory is counted."""


def fitting_settings(
    size_of: Callable[[TrainConfig], ModelSize],
    config: TrainConfig,
    work: Workload,
    device: Device,
) -> dict[str, Any]:
    """Return the settings that differ from *config* and with which it would likely fit.

    Empty if nothing fits. What costs least is tried first: fewer episodes at once, smaller micro
    batches, activations computed again, weights divided among several processes, an adapter.

    Args:
        size_of: Returns the size of the model with given settings.
        config: The settings.
        work: How long its sequences are.
        device: Where it runs.
    """
    free = device.free or 0
    for changed in _changes(config, work, device):
        estimate = estimate_memory(size_of(changed), changed, work, device)
        if estimate.likely <= free:
            return _differences(config, changed)
    return {}


def _changes(config: TrainConfig, work: Workload, device: Device) -> Iterator[TrainConfig]:
    """Yield settings that take less and less memory."""
    bases: list[TrainConfig] = [config]
    if not config.gradient_checkpointing:
        bases.append(replace(config, gradient_checkpointing=True))
    if not config.lora_rank:
        adapters = [replace(base, lora_rank=16, fsdp=False) for base in bases]
        if device.processes > 1 and not config.fsdp:
            bases += [replace(base, fsdp=True) for base in bases]
        bases += adapters
    for base in bases:
        yield from _smaller(base, work)


def _smaller(config: TrainConfig, work: Workload) -> Iterator[TrainConfig]:
    """Yield *config* with fewer tokens of a micro batch, and fewer episodes at once."""
    tokens = config.micro_batch_tokens
    while tokens >= min(MIN_MICRO_BATCH, config.micro_batch_tokens):
        smaller = replace(config, micro_batch_tokens=tokens)
        yield smaller
        if isinstance(smaller, RFTConfig):
            rows = min(smaller.max_concurrent, work.episodes) // 2
            while rows >= 1:
                yield replace(smaller, max_concurrent=rows)
                rows //= 2
        tokens //= 2


def _differences(old: TrainConfig, new: TrainConfig) -> dict[str, Any]:
    before: Mapping[str, Any] = vars(old)
    return {name: value for name, value in vars(new).items() if value != before[name]}


def _megabytes(count: int) -> str:
    return f"{count / 2**20:,.0f}"
