"""What a training would need: tokens and turns of a step, and its memory, before it starts.

The length of episodes is measured on those of the experts. Nothing is trained, and no weights of a
pretrained model are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from agentgym_gen.agents.policy import ExpertPolicy
from agentgym_gen.agents.rollout import run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.study.plan.plan import Plan, Stage
from agentgym_gen.study.run.recipes import PretrainedRecipe, StyleOf, TinyRecipe, recipe_of

if TYPE_CHECKING:
    from agentgym_gen.trainers.config import TrainConfig
    from agentgym_gen.trainers.models.sizes.memory_estimate import Device, MemoryEstimate, Workload
    from agentgym_gen.trainers.models.sizes.model_size import ModelSize
    from agentgym_gen.trainers.models.types import Model, Tokenizer

__all__ = ["EpisodeLengths", "LengthProbe", "TrainingMemory", "plan_memory", "training_memory"]

EPISODES = 8
"""How many expert episodes of each environment are measured."""

WARM_START, RFT = "warm start", "reinforcement fine-tuning"
"""What the trainings are called."""

TEXT_EPISODES = 4
"""How many make the vocabulary of a tiny model, where its size is estimated for a study."""


@dataclass(frozen=True)
class EpisodeLengths:
    """How long episodes are: of the expert, and where a model uses all of its turns."""

    turns: float
    """The mean number of turns of the expert."""
    turn_limit: int
    """The turn limit, of the environment with the highest one."""
    turn_tokens: float
    """The mean number of tokens of a turn, answer included."""
    answer_tokens: float
    """The mean number of tokens of an answer."""
    longest_turn: int
    """The tokens of the longest prompt of a turn with its answer."""
    prompt_tokens: int
    """The tokens before the first answer, of the longest."""
    growing: bool
    """Whether an episode is one growing sequence."""

    @property
    def sequence_tokens(self) -> int:
        """The tokens of a sequence of an episode that uses all of its turns."""
        if not self.growing:
            return self.longest_turn
        return int(self.prompt_tokens + self.turn_limit * self.turn_tokens)

    @property
    def sampled_share(self) -> float:
        """The share of the tokens of such a sequence that is sampled."""
        answers = self.answer_tokens * (self.turn_limit if self.growing else 1)
        return min(1.0, answers / max(1, self.sequence_tokens))


@dataclass(frozen=True)
class TrainingMemory:
    """The memory of one training of a run."""

    title: str
    """Which training it is."""
    config: TrainConfig
    """Its settings."""
    size: ModelSize
    """The size of its model."""
    work: Workload
    """How long its sequences are."""
    estimate: MemoryEstimate
    """The memory by part."""
    device: Device
    """Where it would run."""

    def check_fits(self, processes: int = 1, option: str = "--workers") -> None:
        """Raise unless what is likely needed is free.

        Args:
            processes: How many processes share the memory, each of which needs as much.
            option: The option of the command that says how many.

        Raises:
            InvalidValueError: if it is not, with the settings that would fit.
        """
        free, likely = self.device.free, self.estimate.likely * processes
        if free is None or likely <= free:
            return
        from agentgym_gen.trainers.models.sizes.memory_estimate import fitting_settings
        from agentgym_gen.trainers.models.sizes.model_size import model_size

        @lru_cache(maxsize=4)
        def size_with(rank: int) -> ModelSize:
            return model_size(self.size.model, rank, self.config.lora_targets)

        share = replace(self.device, free=free // processes)
        changes = fitting_settings(
            lambda config: size_with(config.lora_rank), self.config, self.work, share
        )
        each = f" in {processes} processes" if processes > 1 else ""
        raise InvalidValueError(
            f"The {self.title} likely takes {_gigabytes(likely)}{each}, and "
            f"{self.device.name} has {_gigabytes(free)} free; {_advice(changes, processes, option)}"
        )


def training_memory(
    recipe: TinyRecipe | PretrainedRecipe,
    env_ids: Sequence[str],
    *,
    has_rft: bool = True,
    processes: int = 1,
) -> tuple[list[TrainingMemory], EpisodeLengths]:
    """Return the memory of the trainings of *recipe*, and how long the episodes are.

    Args:
        recipe: The recipe.
        env_ids: What is trained on.
        has_rft: Whether there is reinforcement fine-tuning, and not a warm start only.
        processes: How many processes train together; the memory is that of one.
    """
    model, tokenizer = _open_without_weights(recipe, None)
    probe = LengthProbe(recipe.style_of, tokenizer)
    lengths = probe.lengths(env_ids, recipe.rft.max_turns)
    configs: list[tuple[str, TrainConfig]] = []
    if recipe.warm_start is not None:
        configs.append((WARM_START, recipe.warm_start))
    if has_rft:
        configs.append((RFT, recipe.rft))
    memory = [_memory(model, lengths, title, config, processes) for title, config in configs]
    return memory, lengths


def plan_memory(plan: Plan, trainings: Sequence[tuple[str, ...]]) -> list[TrainingMemory]:
    """Return the memory of the warm start of *plan*, and of its largest other training.

    Args:
        plan: The plan of a study.
        trainings: The environment ids of each training that is still to be done.
    """
    if not trainings:
        return []
    decoding = (plan.test.temperature, plan.test.max_new_tokens)
    recipes = {
        env_ids: recipe_of(
            plan.model, plan.warm_start, plan.rft_of(Stage("", env_ids)), plan.style_of, decoding
        )
        for env_ids in dict.fromkeys(trainings)
    }
    first = next(iter(recipes.values()))
    model, tokenizer = _open_without_weights(first, TEXT_EPISODES)
    probe = LengthProbe(plan.style_of, tokenizer)
    largest = max(
        (
            _memory(model, probe.lengths(env_ids, recipe.rft.max_turns), RFT, recipe.rft)
            for env_ids, recipe in recipes.items()
        ),
        key=lambda memory: memory.estimate.likely,
    )
    if first.warm_start is None:
        return [largest]
    shown = list(first.demonstrations) or [env_id for env_ids in recipes for env_id in env_ids]
    return [_memory(model, probe.lengths(shown), WARM_START, first.warm_start), largest]


class LengthProbe:
    """Measures how long episodes are, on those of the experts.

    Args:
        style_of: From an environment id to the prompt style of its episodes.
        tokenizer: The tokenizer of the model.
    """

    def __init__(self, style_of: StyleOf, tokenizer: Tokenizer) -> None:
        self._style_of, self._tokenizer = style_of, tokenizer
        self._played: dict[str, tuple[list[Trajectory], int]] = {}

    def lengths(self, env_ids: Sequence[str], max_turns: int | None = None) -> EpisodeLengths:
        """Return how long the episodes of *env_ids* are, with at most *max_turns* turns.

        Raises:
            DataError: if no expert took a turn, because no task could be made.
        """
        pairs = [self._play(env_id) for env_id in env_ids]
        played = [episode for episodes, _ in pairs for episode in episodes if episode.turns]
        if not played:
            raise DataError(
                f"The experts of {', '.join(env_ids)} took no turn, so that nothing is "
                "known of the length of episodes"
            )
        sequences = [sequence for episode in played for sequence in episode.sequences()]
        answers = [len(t.completion.action_ids) for episode in played for t in episode.turns]
        tokens = sum(len(sequence.ids) for sequence in sequences)
        first = [len(episode.turns[0].completion.context_ids) for episode in played]
        growing = any(self._style_of(env_id).window is None for env_id in env_ids)
        return EpisodeLengths(
            turns=len(answers) / len(played),
            turn_limit=max(min(limit, max_turns or limit) for _, limit in pairs),
            turn_tokens=(tokens - sum(first) if growing else tokens) / len(answers),
            answer_tokens=sum(answers) / len(answers),
            longest_turn=max(len(sequence.ids) for sequence in sequences),
            prompt_tokens=max(first),
            growing=growing,
        )

    def _play(self, env_id: str) -> tuple[list[Trajectory], int]:
        """Return episodes of the expert of *env_id*, and the turn limit."""
        from agentgym_gen.trainers.demos import Demonstrator, sample_episodes

        if env_id not in self._played:
            policy = Demonstrator(ExpertPolicy(), self._tokenizer)
            episodes = sample_episodes([env_id], "train", EPISODES, 0)
            env = make_text_env(env_id, "train")
            env.reset(options={"task_id": episodes[0].task_id})
            limit = env.turn_limit
            env.close()
            self._played[env_id] = run(episodes, policy, style=self._style_of(env_id)), limit
        return self._played[env_id]


def _open_without_weights(
    recipe: TinyRecipe | PretrainedRecipe, text_episodes: int | None
) -> tuple[Model, Tokenizer]:
    """Return the model of *recipe*, a pretrained one without its weights, and its tokenizer."""
    from agentgym_gen import trainers

    _ = trainers.load_model  # the error of a package that is missing names the extra
    if isinstance(recipe, TinyRecipe):
        return recipe.build_model(0, text_episodes or recipe.text_episodes)
    from agentgym_gen.trainers.models.loading import load_tokenizer
    from agentgym_gen.trainers.models.sizes.model_size import meta_model

    return meta_model(recipe.name), load_tokenizer(recipe.name)


def _memory(
    model: Model, lengths: EpisodeLengths, title: str, config: TrainConfig, processes: int = 1
) -> TrainingMemory:
    from agentgym_gen.trainers.config import RFTConfig, SFTConfig
    from agentgym_gen.trainers.models.device import free_device_memory, local_device
    from agentgym_gen.trainers.models.sizes.memory_estimate import Device, Workload, estimate_memory
    from agentgym_gen.trainers.models.sizes.model_size import model_size

    is_gpu = local_device() != "cpu"
    bytes_each = 2 if is_gpu else 4
    device = Device(*free_device_memory(), bytes_each, is_gpu=is_gpu, processes=processes)
    tasks = config.tasks_per_step if isinstance(config, RFTConfig) else 0
    episodes = tasks * config.num_generations if isinstance(config, RFTConfig) else 0
    episodes, tasks = ceil(episodes / processes), ceil(tasks / processes)
    sequences = episodes if lengths.growing else episodes * lengths.turn_limit
    if isinstance(config, SFTConfig):
        sequences = ceil(config.batch_size / processes)
    work = Workload(
        episodes=episodes,
        tasks=tasks,
        sequences=sequences,
        sequence_tokens=lengths.sequence_tokens,
        turn_tokens=int(lengths.longest_turn if not lengths.growing else lengths.turn_tokens),
        prompt_tokens=lengths.prompt_tokens,
        sampled_share=lengths.sampled_share,
        growing=lengths.growing,
    )
    size = model_size(model, config.lora_rank, config.lora_targets)
    estimate = estimate_memory(size, config, work, device)
    return TrainingMemory(title, config, size, work, estimate, device)


def _advice(changes: dict[str, object], processes: int, option: str) -> str:
    if changes:
        settings = ", ".join(f"{name}={value}" for name, value in changes.items())
        return f"it would likely fit with {settings}"
    if processes > 1:
        return f"run fewer side by side, with {option}"
    return "no settings make it fit; take a smaller model, or a larger device"


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GB"
