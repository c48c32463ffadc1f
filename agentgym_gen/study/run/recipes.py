"""Recipes: how the models of a study are made and trained, from the settings of its plan.

`TinyRecipe` builds a model from scratch and warms it up on expert demonstrations;
`PretrainedRecipe` loads one of transformers and trains an adapter. Both leave a folder for each
model, which is complete once ``recipe.json`` is in it. The trainers, and torch with them, are
imported when a recipe is made.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from agentgym_gen.agents.policy import Policy
from agentgym_gen.agents.prompt import PromptStyle, mixed_style
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.study.plan.plan import Stage
from agentgym_gen.study.results.files import MODEL_DONE, MODEL_HASH
from agentgym_gen.study.results.provenance import model_hash
from agentgym_gen.study.run.schedule import Log
from agentgym_gen.system.files import write_text

if TYPE_CHECKING:
    from agentgym_gen.trainers.config import RFTConfig, SFTConfig, TinySize, TrainConfig
    from agentgym_gen.trainers.models.types import Model, Tokenizer

__all__ = [
    "SPEED_DEMONSTRATIONS",
    "ConfiguredRecipe",
    "PretrainedRecipe",
    "StepPrinter",
    "StyleOf",
    "TinyRecipe",
    "TrainingRecipe",
    "recipe_of",
]

StyleOf = Callable[[str], PromptStyle]
"""From an environment id to the prompt style of its episodes."""

SPEED_DEMONSTRATIONS = 64
"""How many expert episodes the warm start of a speed measurement shows, over all environments."""


class TrainingRecipe(Protocol):
    """How the models of a study are made, trained and loaded."""

    def make_base(self, folder: Path, seed: int, log: Log) -> None:
        """Write the model before RFT into *folder*; ``recipe.json`` is written last."""

    def train(self, base: Path, folder: Path, stage: Stage, seed: int, log: Log) -> None:
        """Train *base* on *stage* into *folder*, from its last checkpoint if it has one."""

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of the model in *folder*, with the decoding of the plan."""


@dataclass(frozen=True, kw_only=True)
class ConfiguredRecipe:
    """The shared part of both recipes: the warm start, the training and the policy."""

    style_of: StyleOf
    """From an environment id to the prompt style of its episodes."""
    rft: RFTConfig
    """The settings of reinforcement fine-tuning; `max_steps` is that of a whole training."""
    warm_start: SFTConfig | None = None
    """The settings of the warm start; None means no warm start."""
    demonstrations: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """How many expert episodes of each environment id the warm start shows."""
    epsilon: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """The probability of a turn at random in them, by environment id; 0 where it is missing."""
    temperature: float = 1.0
    """The temperature of the policy when it is tested."""
    max_new_tokens: int = 32
    """The most tokens of a completion when it is tested."""

    def train(self, base: Path, folder: Path, stage: Stage, seed: int, log: Log) -> None:
        """Train *base* on *stage* into *folder*, from its last checkpoint if it has one."""
        from agentgym_gen.trainers import RFTTrainer

        if (folder / MODEL_DONE).exists():
            return
        model, tokenizer = _load_model(self.source(base), self.rft)
        steps = max(1, round(self.rft.max_steps * stage.share))
        args = replace(self.rft, seed=seed, output_dir=str(folder), max_steps=steps)
        trainer = RFTTrainer(
            model=model,
            tokenizer=tokenizer,
            envs=stage.env_ids,
            args=args,
            style=mixed_style({env_id: self.style_of(env_id) for env_id in stage.env_ids}),
            callbacks=[StepPrinter("reinforcement", "success", log)],
        )
        trainer.train(resume_from_checkpoint=True)
        self.finish(folder, seed, trainer.save_model)

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of the model in *folder*; a truncated turn is read as in training."""
        from agentgym_gen.trainers.sampling.truncated_turns import refuse_truncated

        policy = self._policy(*_load_model(self.source(folder)), self.max_new_tokens)
        if self.rft.on_truncated_turn == "refuse":
            return cast("Policy", refuse_truncated(policy))  # a policy of the same kind
        return policy

    def build_model(self, seed: int, episodes: int) -> tuple[Model, Tokenizer]:
        """Return the model before any training, its vocabulary from so many *episodes*."""
        raise NotImplementedError

    def measure_speed(self) -> tuple[Policy, float]:
        """Return an untrained policy to be timed, and the seconds of one step of the warm start.

        After a warm start a model writes about as much as the expert. The untrained one does not
        know when to end, so its completions are limited to the mean length of the expert's.
        """
        _hide_progress_bars()
        model, tokenizer = self.build_model(0, 4)
        if self.warm_start is None:
            return self._policy(model, tokenizer, self.max_new_tokens), 0.0
        from agentgym_gen.trainers import SFTTrainer

        total = sum(self.demonstrations.values())
        numbers = {
            env_id: max(1, round(SPEED_DEMONSTRATIONS * number / total))
            for env_id, number in self.demonstrations.items()
        }
        episodes = self._demonstrate(tokenizer, numbers)
        tokens = sum(episode.action_tokens for episode in episodes)
        turns = sum(len(episode.turns) for episode in episodes)
        max_new_tokens = min(self.max_new_tokens, max(1, round(tokens / turns)))
        args = replace(self.warm_start, max_steps=2, output_dir="", warmup_steps=0)
        started = time.perf_counter()
        SFTTrainer(model, tokenizer, args, episodes).train()
        seconds = (time.perf_counter() - started) / args.max_steps
        return self._policy(model, tokenizer, max_new_tokens), seconds

    def source(self, folder: Path) -> str | Path:
        """Return what the model in *folder* is loaded from."""
        return folder

    def warm_up(
        self, folder: Path, seed: int, model: Model, tokenizer: Tokenizer, log: Log
    ) -> None:
        """Write *model* into *folder*, after the warm start on demonstrations if there is one."""
        if self.warm_start is None:
            self.finish(folder, seed, partial(_save_model, model, tokenizer))
            return
        from agentgym_gen.trainers import SFTTrainer

        episodes = self._demonstrate(tokenizer, self.demonstrations, seed=seed)
        args = replace(self.warm_start, seed=seed, output_dir=str(folder))
        callbacks = [StepPrinter("warm start", "loss", log)]
        trainer = SFTTrainer(model, tokenizer, args, episodes, callbacks)
        trainer.train(resume_from_checkpoint=True)
        self.finish(folder, seed, trainer.save_model)

    def finish(self, folder: Path, seed: int, save: Callable[[Path], None]) -> None:
        """Write the finished model by *save*, and remove its checkpoints.

        Of several processes all call this, and the main one writes.
        """
        from agentgym_gen.trainers import checkpoint
        from agentgym_gen.trainers.parallel.distributed import Distributed

        def close() -> None:
            with checkpoint.writing(folder, "the model"):
                checkpoint.sync(folder)
            self.mark_done(folder, seed)
            checkpoint.remove_all(folder)

        with checkpoint.writing(folder, "the model"):
            save(folder)
        Distributed().run_on_main(close)

    def mark_done(self, folder: Path, seed: int) -> None:
        """Write ``recipe.json``: the model in *folder* is complete."""
        from agentgym_gen.trainers.checkpoint import recorded_versions

        settings = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        settings = {
            name: dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]
            for name, value in settings.items()
            if name != "style_of"
        }
        hashes = {MODEL_HASH: model_hash(folder)}
        record = {"seed": seed, **hashes, **settings, "versions": recorded_versions()}
        write_text(folder / MODEL_DONE, json.dumps(record, indent=1, default=dict))

    def _demonstrate(
        self, tokenizer: Tokenizer, numbers: Mapping[str, int], seed: int = 0
    ) -> list[Trajectory]:
        """Return so many expert episodes of each environment id."""
        from agentgym_gen.trainers import demonstrations

        episodes: list[Trajectory] = []
        for env_id, number in numbers.items():
            episodes += demonstrations(
                [env_id],
                tokenizer,
                self.style_of(env_id),
                number=number,
                seed=seed,
                epsilon=self.epsilon.get(env_id, 0.0),
            )
        return episodes

    def _policy(self, model: Model, tokenizer: Tokenizer, max_new_tokens: int) -> Policy:
        from agentgym_gen.trainers import ModelPolicy

        return ModelPolicy(
            model, tokenizer, temperature=self.temperature, max_new_tokens=max_new_tokens
        )


@dataclass(frozen=True, kw_only=True)
class TinyRecipe(ConfiguredRecipe):
    """Builds a tiny model from the texts of expert episodes, and warms it up on them."""

    size: TinySize
    """The size of the model."""
    text_episodes: int = 200
    """How many expert episodes of each environment make the vocabulary."""

    def make_base(self, folder: Path, seed: int, log: Log) -> None:
        """Write the model before RFT into *folder*, unless it is complete."""
        if _is_complete(folder):
            return
        _hide_progress_bars()
        model, tokenizer = self.build_model(seed, self.text_episodes)
        self.warm_up(folder, seed, model, tokenizer, log)

    def build_model(self, seed: int, episodes: int) -> tuple[Model, Tokenizer]:
        """Return a model with random weights, its vocabulary from so many *episodes* of each id."""
        from agentgym_gen.trainers import build_tiny
        from agentgym_gen.trainers.demos import expert_texts

        texts: list[str] = []
        for env_id in self.demonstrations:
            style = self.style_of(env_id)
            texts += expert_texts([env_id], style, number=episodes, seed=seed)
        return build_tiny(texts, seed, self.size)


@dataclass(frozen=True, kw_only=True)
class PretrainedRecipe(ConfiguredRecipe):
    """Loads a model of transformers and trains an adapter for it."""

    name: str
    """A folder, or a name on the hub."""

    def make_base(self, folder: Path, seed: int, log: Log) -> None:
        """Write the model before RFT into *folder*: an adapter, or without warm start its name."""
        if _is_complete(folder):
            return
        if self.warm_start is None:
            from agentgym_gen.trainers.parallel.distributed import Distributed

            folder.mkdir(parents=True, exist_ok=True)
            Distributed().run_on_main(partial(self.mark_done, folder, seed))
            return
        model, tokenizer = _load_model(self.name, self.warm_start)
        self.warm_up(folder, seed, model, tokenizer, log)

    def build_model(self, seed: int, episodes: int) -> tuple[Model, Tokenizer]:
        """Return the pretrained model."""
        return _load_model(self.name)

    def source(self, folder: Path) -> str | Path:
        """Return the folder, or the model's name where nothing was trained."""
        return folder if any(folder.glob("*.safetensors")) else self.name


def recipe_of(
    model: Mapping[str, Any],
    warm_start: Mapping[str, Any],
    rft: Mapping[str, Any],
    style_of: StyleOf,
    decoding: tuple[float, int],
) -> TinyRecipe | PretrainedRecipe:
    """Return the recipe of the tables of a plan.

    Args:
        model: ``build = "tiny"`` with the fields of `TinySize`, or the ``name`` of a model.
        warm_start: The fields of `SFTConfig`, and ``demonstrations`` and ``epsilon`` by environment
            id.
        rft: The fields of `RFTConfig`.
        style_of: From an environment id to the prompt style of its episodes.
        decoding: The temperature and the most tokens of a completion in tests.

    Raises:
        InvalidValueError: if a table has a key or a value that is not accepted.
    """
    from agentgym_gen.trainers import RFTConfig, SFTConfig, TinySize

    # A tiny model is trained whole: it has no pretrained weights that an adapter would keep.
    defaults = {} if "name" in model else {"lora_rank": 0}
    sft = {**defaults, **warm_start}
    shared: dict[str, Any] = {
        "style_of": style_of,
        "rft": _config(RFTConfig, {"max_new_tokens": decoding[1], **defaults, **rft}),
        "demonstrations": dict(sft.pop("demonstrations", {})),
        "epsilon": dict(sft.pop("epsilon", {})),
        "warm_start": _config(SFTConfig, sft) if warm_start else None,
        "temperature": decoding[0],
        "max_new_tokens": decoding[1],
    }
    for name, config in (("rft", shared["rft"]), ("warm_start", shared["warm_start"])):
        if config is not None and config.fsdp:
            raise InvalidValueError(
                f"`{name}.fsdp` divides the weights among processes, and a study trains each model "
                "in one; train it with `agentgym-gen train --processes N`, and name it in the plan "
                "as `[[given]]`"
            )
    settings = dict(model)
    if "name" in settings:
        _check_keys(settings, ["name"])
        return PretrainedRecipe(name=str(settings["name"]), **shared)
    if settings.pop("build", None) != "tiny":
        raise InvalidValueError(
            'A plan\'s model is a `name` of one of transformers, or `build = "tiny"`, not '
            f"{dict(model)!r}"
        )
    episodes = int(settings.pop("text_episodes", 200))
    _check_keys(settings, [f.name for f in dataclasses.fields(TinySize)])
    return TinyRecipe(size=TinySize(**settings), text_episodes=episodes, **shared)


def _config(cls: Callable[..., Any], settings: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return a *cls* with *settings*, in which the lists of TOML become tuples."""
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()})


def _check_keys(settings: Mapping[str, Any], valid_keys: Sequence[str]) -> None:
    for key in settings:
        if key not in valid_keys:
            raise unknown_name("key of the model", key, valid_keys)


def _load_model(source: str | Path, settings: TrainConfig | None = None) -> tuple[Model, Tokenizer]:
    from agentgym_gen.trainers import load_model

    _hide_progress_bars()
    if settings is None:
        return load_model(source)
    return load_model(
        source,
        load_in_8bit=settings.load_in_8bit,
        attn_implementation=settings.attn_implementation,
    )


def _is_complete(folder: Path) -> bool:
    """Return whether the model in *folder* is complete; of several processes, all say the same."""
    from agentgym_gen.trainers.parallel.distributed import Distributed

    return all(Distributed().gather([(folder / MODEL_DONE).exists()]))


def _save_model(model: Model, tokenizer: Tokenizer, folder: Path) -> None:
    """Write a model that no trainer has had, in the main process."""
    from agentgym_gen.trainers.models.adapters import save_weights
    from agentgym_gen.trainers.parallel.distributed import Distributed

    def write() -> None:
        save_weights(model, folder)
        tokenizer.save_pretrained(folder)

    Distributed().run_on_main(write)


def _hide_progress_bars() -> None:
    from agentgym_gen.trainers.models.progress_bars import hide_progress_bars

    hide_progress_bars()


class StepPrinter:
    """A callback of the trainers that prints the progress of a training five times.

    Args:
        training: What is trained.
        key: The key of the row whose value is printed.
        log: Called with each line.
    """

    def __init__(self, training: str, key: str, log: Log) -> None:
        self._training, self._key, self._log = training, key, log

    def on_step_end(self, args: Any, state: Any, control: Any, **extras: Any) -> None:  # noqa: ANN401
        """Print the value of the row, if a fifth of the steps was made since the last time."""
        row, steps = extras["row"], args.max_steps
        if row["step"] % max(1, steps // 5) == 0:
            self._log(f"{self._training} {row['step']}/{steps}: {self._key} {row[self._key]:.3f}")
