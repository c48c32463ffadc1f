# ruff: noqa: ANN401
# What an event is told besides is of any kind.
"""Recipes: how the models of a study are made and trained, from the plain data of its plan.

`TinyRecipe` builds a model from scratch and warms it up on expert demonstrations;
`PretrainedRecipe` loads one of transformers and trains an adapter. Both leave folders that hold a
whole model once ``recipe.json`` is in them.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from agentgym_gen.agents.policy import Policy
from agentgym_gen.agents.prompt import PromptStyle, mixed_style
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.system.files import write_text
from agentgym_gen.trainers import checkpoint
from agentgym_gen.trainers.callbacks import TrainerCallback, TrainerControl, TrainerState
from agentgym_gen.trainers.config import RFTConfig, SFTConfig, TrainConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.models.loading import load_model
from agentgym_gen.trainers.models.progress_bars import hide_progress_bars
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.rft import RFTTrainer
from agentgym_gen.trainers.sampling.model_policy import ModelPolicy
from agentgym_gen.trainers.sft import SFTTrainer

WHOLE = "recipe.json"
"""The file that is written last: a folder with it holds a finished model."""

Say = Callable[[str], None]
StyleOf = Callable[[str], PromptStyle]


class Stage(Protocol):
    """What is trained: a stage of an arm of a study."""

    @property
    def env_ids(self) -> tuple[str, ...]:
        """The ids of its environments."""

    @property
    def share(self) -> float:
        """The part of the steps of a whole training that it gets."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What both recipes share: the warm start, the training and the policy."""

    style_of: StyleOf
    """From an environment id to how its episodes are put to the model."""
    rft: RFTConfig
    """The settings of reinforcement fine-tuning; `max_steps` is that of a whole training."""
    warm_start: SFTConfig | None = None
    """The settings of the warm start; None makes none."""
    demonstrations: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """How many expert episodes of each environment id the warm start shows."""
    temperature: float = 1.0
    """The temperature of the policy when it is tested."""
    max_new_tokens: int = 32
    """The longest completion when it is tested."""

    def train(self, base: Path, folder: Path, stage: Stage, seed: int, say: Say) -> None:
        """Train *base* on *stage* into *folder*, going on from a checkpoint."""
        if (folder / WHOLE).exists():
            return
        hide_progress_bars()
        model, tokenizer = load_model(self.source(base))
        steps = max(1, round(self.rft.max_steps * stage.share))
        args = replace(self.rft, seed=seed, output_dir=str(folder), max_steps=steps)
        trainer = RFTTrainer(
            model=model,
            tokenizer=tokenizer,
            envs=stage.env_ids,
            args=args,
            style=mixed_style({env_id: self.style_of(env_id) for env_id in stage.env_ids}),
            callbacks=[Tell("reinforcement", "success", say)],
        )
        trainer.train(resume_from_checkpoint=True)
        self.finish(folder, seed, trainer.model, tokenizer)

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of the model in *folder*."""
        hide_progress_bars()
        model, tokenizer = load_model(self.source(folder))
        return ModelPolicy(
            model, tokenizer, temperature=self.temperature, max_new_tokens=self.max_new_tokens
        )

    def fresh(self, seed: int, episodes: int) -> tuple[Model, Tokenizer]:
        """Return the model before everything, its vocabulary from so many *episodes*."""
        raise NotImplementedError

    def pace(self) -> tuple[Policy, float]:
        """Return an untrained policy to be timed, and how long one step of the warm start takes.

        After a warm start a model says about as much as the expert; the untrained one, which does
        not know how to end, is stopped there.
        """
        hide_progress_bars()
        model, tokenizer = self.fresh(0, 4)
        seconds, longest = 0.0, self.max_new_tokens
        if self.warm_start is not None:
            shown: list[Trajectory] = []
            for env_id, number in self.demonstrations.items():
                some = max(1, round(64 * number / sum(self.demonstrations.values())))
                style = self.style_of(env_id)
                shown += demonstrations([env_id], tokenizer, style, number=some)
            said = sum(one.action_tokens for one in shown)
            longest = min(longest, max(1, round(said / sum(len(one.turns) for one in shown))))
            args = replace(self.warm_start, max_steps=2, output_dir="", warmup_steps=0)
            started = time.perf_counter()
            SFTTrainer(model, tokenizer, args, shown).train()
            seconds = (time.perf_counter() - started) / 2
        policy = ModelPolicy(model, tokenizer, temperature=self.temperature, max_new_tokens=longest)
        return policy, seconds

    def source(self, folder: Path) -> str | Path:
        """Return what the model in *folder* is loaded from."""
        return folder

    def warm_up(
        self, folder: Path, seed: int, model: Model, tokenizer: Tokenizer, say: Say
    ) -> Model:
        """Return *model* after the warm start on demonstrations, if the recipe has one."""
        if self.warm_start is None:
            return model
        shown: list[Trajectory] = []
        for env_id, number in self.demonstrations.items():
            style = self.style_of(env_id)
            shown += demonstrations([env_id], tokenizer, style, number=number, seed=seed)
        args = replace(self.warm_start, seed=seed, output_dir=str(folder))
        told = [Tell("warm start", "loss", say)]
        trainer = SFTTrainer(model, tokenizer, args, shown, told)
        trainer.train(resume_from_checkpoint=True)
        return trainer.model

    def finish(self, folder: Path, seed: int, model: Model, tokenizer: Tokenizer) -> None:
        """Write the finished model, and drop the checkpoints that it went on from."""
        with checkpoint.writing(folder, "the model"):
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            checkpoint.sync(folder)
        self.mark(folder, seed)
        for path in folder.glob("step_*"):
            shutil.rmtree(path, ignore_errors=True)

    def mark(self, folder: Path, seed: int) -> None:
        """Say that the model in *folder* is whole."""
        told = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        told = {k: dataclasses.asdict(v) if dataclasses.is_dataclass(v) else v  # type: ignore[arg-type]
                for k, v in told.items() if k != "style_of"}  # fmt: skip
        made = {"seed": seed, **told, "versions": checkpoint.versions()}
        write_text(folder / WHOLE, json.dumps(made, indent=1, default=dict))


@dataclass(frozen=True, kw_only=True)
class TinyRecipe(Recipe):
    """Builds a tiny model from the texts of expert episodes, and warms it up on them."""

    size: TinySize
    """The size of the model."""
    text_episodes: int = 200
    """How many expert episodes of each environment make the vocabulary."""

    def make_base(self, folder: Path, seed: int, say: Say) -> None:
        """Write the model before reinforcement into *folder*, unless it is there whole."""
        if (folder / WHOLE).exists():
            return
        hide_progress_bars()
        model, tokenizer = self.fresh(seed, self.text_episodes)
        self.finish(folder, seed, self.warm_up(folder, seed, model, tokenizer, say), tokenizer)

    def fresh(self, seed: int, episodes: int) -> tuple[Model, Tokenizer]:
        """Return a model with random weights, its vocabulary from so many *episodes* of each id."""
        texts: list[str] = []
        for env_id in self.demonstrations:
            style = self.style_of(env_id)
            texts += expert_texts([env_id], style, number=episodes, seed=seed)
        return build_tiny(texts, seed, self.size)


@dataclass(frozen=True, kw_only=True)
class PretrainedRecipe(Recipe):
    """Loads a model of transformers; what is trained is an adapter."""

    name: str
    """A folder, or a name on the hub."""

    def make_base(self, folder: Path, seed: int, say: Say) -> None:
        """Write the model before reinforcement into *folder*: an adapter, or only its name."""
        if (folder / WHOLE).exists():
            return
        hide_progress_bars()
        folder.mkdir(parents=True, exist_ok=True)
        if self.warm_start is None:
            self.mark(folder, seed)
            return
        model, tokenizer = load_model(self.name)
        self.finish(folder, seed, self.warm_up(folder, seed, model, tokenizer, say), tokenizer)

    def fresh(self, seed: int, episodes: int) -> tuple[Model, Tokenizer]:
        """Return the pretrained model."""
        return load_model(self.name)

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
    """Return the recipe that the tables of a plan spell.

    Args:
        model: ``build = "tiny"`` with the fields of `TinySize`, or ``name`` of a model.
        warm_start: The fields of `SFTConfig`, and ``demonstrations`` by environment id.
        rft: The fields of `RFTConfig`.
        style_of: From an environment id to how its episodes are put to the model.
        decoding: The temperature and the longest completion of tests.

    Raises:
        InvalidValueError: if a table has a key or a value that is not accepted.
    """
    # A tiny model has nothing that an adapter could leave as it is.
    usual = {} if "name" in model else {"lora_rank": 0}
    warm = {**usual, **warm_start}
    shared: dict[str, Any] = {
        "style_of": style_of,
        "rft": _config(RFTConfig, {**usual, **rft}),
        "demonstrations": dict(warm.pop("demonstrations", {})),
        "warm_start": _config(SFTConfig, warm) if warm_start else None,
        "temperature": decoding[0],
        "max_new_tokens": decoding[1],
    }
    told = dict(model)
    if "name" in told:
        _check_keys(told, ["name"])
        return PretrainedRecipe(name=str(told["name"]), **shared)
    if told.pop("build", None) != "tiny":
        raise InvalidValueError(
            'A plan\'s model is a `name` of one of transformers, or `build = "tiny"`, not '
            f"{dict(model)!r}"
        )
    episodes = int(told.pop("text_episodes", 200))
    _check_keys(told, [f.name for f in dataclasses.fields(TinySize)])
    return TinyRecipe(size=TinySize(**told), text_episodes=episodes, **shared)


def _config(cls: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Return the settings *given*, with the lists of TOML as tuples."""
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})


def _check_keys(given: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in given:
        if key not in known:
            raise unknown_name("key of the model", key, known, "all")


class Tell(TrainerCallback):
    """Says five times in a training how far it is.

    Args:
        what: What is trained.
        key: Which value of the row is told.
        say: Who is told.
    """

    def __init__(self, what: str, key: str, say: Say) -> None:
        self._what, self._key, self._say = what, key, say

    def on_step_end(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: Any
    ) -> None:
        """Say it, if it is time."""
        row, steps = extras["row"], args.max_steps
        if row["step"] % max(1, steps // 5) == 0:
            self._say(f"{self._what} {row['step']}/{steps}: {self._key} {row[self._key]:.3f}")
