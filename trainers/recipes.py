# ruff: noqa: ANN401
# What an event is told besides is of any kind.
"""Recipes: how the models of a study are made, with settings that were measured to learn.

`QUICK` is for two cores and minutes: a tiny model from scratch, a warm start on experts of two
environments, then reinforcement. What was measured is in ``docs/study.md``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.policy import Policy
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.trainers import checkpoint
from agentgym_gen.trainers.callbacks import TrainerCallback, TrainerControl, TrainerState
from agentgym_gen.trainers.config import RFTConfig, SFTConfig, TrainConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.handles import Model, Tokenizer
from agentgym_gen.trainers.model import hide_progress_bars, load_model
from agentgym_gen.trainers.rft import RFTTrainer
from agentgym_gen.trainers.sampler import ModelPolicy
from agentgym_gen.trainers.sft import SFTTrainer
from agentgym_gen.trainers.tiny import TinySize, build_tiny
from agentgym_gen.trajectory import Trajectory

WHOLE = "recipe.json"
"""The file that is written last: a folder with it holds a finished model."""

Say = Callable[[str], None]


class Trained(Protocol):
    """What is trained: an arm of a study."""

    @property
    def env_ids(self) -> tuple[str, ...]:
        """The ids of its environments."""


@dataclass(frozen=True)
class TinyRecipe:
    """How a tiny model is built, warmed up on demonstrations and trained by reinforcement."""

    name: str
    """Its name, by which a study asks for it."""
    styles: Mapping[str, PromptStyle]
    """How episodes are put to the model, by the name of their environment."""
    size: TinySize
    """The size of the model."""
    text_episodes: int
    """How many expert episodes make the vocabulary."""
    demonstrations: Mapping[str, int]
    """How many expert episodes of each environment id the warm start shows."""
    warm_start: SFTConfig
    """The settings of the warm start."""
    rft: RFTConfig
    """The settings of reinforcement fine-tuning."""

    def style_of(self, env_id: str) -> PromptStyle:
        """Return how episodes of *env_id* are put to the model.

        Raises:
            UnknownNameError: if the recipe has no style for its environment.
        """
        name = env_id.rpartition("/")[2].split("-")[0]
        if name not in self.styles:
            raise unknown_name("environment of the recipe", name, self.styles, self.name)
        return self.styles[name]

    def make_base(self, folder: Path, seed: int, say: Say) -> None:
        """Write the model before reinforcement into *folder*, unless it is there whole."""
        if (folder / WHOLE).exists():
            return
        hide_progress_bars()
        texts: list[str] = []
        for env_id in self.demonstrations:
            style = self.style_of(env_id)
            texts += expert_texts([env_id], style, number=self.text_episodes, seed=seed)
        model, tokenizer = build_tiny(texts, seed, self.size)
        shown: list[Trajectory] = []
        for env_id, number in self.demonstrations.items():
            style = self.style_of(env_id)
            shown += demonstrations([env_id], tokenizer, style, number=number, seed=seed)
        args = replace(self.warm_start, seed=seed, output_dir=str(folder))
        told = [Tell("warm start", "loss", say)]
        SFTTrainer(model, tokenizer, args, shown, told).train(resume_from_checkpoint=True)
        self._finish(folder, seed, model, tokenizer)

    def train(self, base: Path, folder: Path, arm: Trained, seed: int, say: Say) -> None:
        """Train *base* on the arm's environments into *folder*, going on from a checkpoint."""
        if (folder / WHOLE).exists():
            return
        hide_progress_bars()
        model, tokenizer = load_model(base)
        styles = {self.style_of(env_id) for env_id in arm.env_ids}
        if len(styles) > 1:
            raise InvalidValueError(
                f"Recipe {self.name!r} puts the environments {arm.env_ids!r} to the model in "
                "different styles, and one training has one style"
            )
        args = replace(self.rft, seed=seed, output_dir=str(folder))
        trainer = RFTTrainer(
            model=model,
            tokenizer=tokenizer,
            envs=arm.env_ids,
            args=args,
            style=styles.pop(),
            callbacks=[Tell("reinforcement", "success", say)],
        )
        trainer.train(resume_from_checkpoint=True)
        self._finish(folder, seed, trainer.model, tokenizer)

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of the model in *folder*, at the temperature of training."""
        hide_progress_bars()
        model, tokenizer = load_model(folder)
        return ModelPolicy(
            model,
            tokenizer,
            temperature=self.rft.temperature,
            max_new_tokens=self.rft.max_new_tokens,
        )

    def _finish(self, folder: Path, seed: int, model: Model, tokenizer: Tokenizer) -> None:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        made = {"seed": seed, **dataclasses.asdict(self), "versions": checkpoint.versions()}
        (folder / WHOLE).write_text(json.dumps(made, indent=1), encoding="utf-8")


class Tell(TrainerCallback):
    """Says ten times in a training how far it is.

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
        if row["step"] % max(1, steps // 10) == 0:
            self._say(f"  {self._what} {row['step']}/{steps}: {self._key} {row[self._key]:.3f}")


QUICK = TinyRecipe(
    name="quick",
    styles={
        # A board is all there is to know: no turn needs the ones before it.
        "Sokoban": PromptStyle(format="action", instruction=False, window=0, keep_first=False),
        "TextCraft": PromptStyle(format="action", instruction=False),
    },
    size=TinySize(layers=4, width=64, heads=4, vocabulary=512, context=4096),
    text_episodes=200,
    # Few of what is only tested, so that its base scores are off the floor.
    demonstrations={
        "rftgen/Sokoban-easy-v0": 4000,
        "rftgen/Sokoban-easy-listed-v0": 300,
        "rftgen/Sokoban-medium-v0": 200,
        "rftgen/TextCraft-easy-menu-v0": 300,
    },
    warm_start=SFTConfig(
        learning_rate=2e-3,
        max_steps=900,
        batch_size=64,
        warmup_steps=20,
        save_steps=100,
        lora_rank=0,
    ),
    rft=RFTConfig(
        learning_rate=5e-4,
        max_steps=110,
        warmup_steps=5,
        tasks_per_step=40,
        num_generations=8,
        loss_average="episode",
        episode_coef=0.5,
        step_coef=0.5,
        discount=0.9,
        max_new_tokens=8,
        max_valid_drop=0.9,
        save_steps=10,
        lora_rank=0,
    ),
)
"""The recipe of the quick study."""

RECIPES = {recipe.name: recipe for recipe in (QUICK,)}
"""The recipes by name."""


def load_recipe(name: str) -> TinyRecipe:
    """Return the recipe called *name*.

    Raises:
        UnknownNameError: if there is none.
    """
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES, "all")
    return RECIPES[name]
