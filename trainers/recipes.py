"""Recipes: how the models of a study are made, with settings that were measured to learn.

`QUICK` is for two cores and minutes: a tiny model from scratch, a warm start on experts of two
environments, then reinforcement. What was measured is in ``docs/trainer.md``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from agentgym_gen.errors import unknown_name
from agentgym_gen.policy import Policy
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.trainers import checkpoint
from agentgym_gen.trainers.config import RFTConfig, SFTConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.handles import Model, Tokenizer
from agentgym_gen.trainers.learner import Row
from agentgym_gen.trainers.model import load_model
from agentgym_gen.trainers.rft import RFTTrainer
from agentgym_gen.trainers.sampler import ModelPolicy
from agentgym_gen.trainers.sft import SFTTrainer
from agentgym_gen.trainers.tiny import TinySize, build_tiny

SOKOBAN = "rftgen/Sokoban-easy-v0"
TEXTCRAFT = "rftgen/TextCraft-easy-v0"
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
    style: PromptStyle
    """How episodes are put to the model."""
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

    def make_base(self, folder: Path, seed: int, say: Say) -> None:
        """Write the model before reinforcement into *folder*, unless it is there whole."""
        if (folder / WHOLE).exists():
            return
        envs = list(self.demonstrations)
        texts = expert_texts(envs, self.style, number=self.text_episodes, seed=seed)
        model, tokenizer = build_tiny(texts, seed, self.size)
        shown = [
            played
            for env_id, number in self.demonstrations.items()
            for played in demonstrations([env_id], tokenizer, self.style, number=number, seed=seed)
        ]
        args = replace(self.warm_start, seed=seed, output_dir=str(folder))
        log = self._teller("warm start", args.max_steps, "loss", say)
        SFTTrainer(model, tokenizer, args, shown, log).train(resume_from_checkpoint=True)
        self._finish(folder, seed, model, tokenizer)

    def train(self, base: Path, folder: Path, arm: Trained, seed: int, say: Say) -> None:
        """Train *base* on the arm's environments into *folder*, going on from a checkpoint."""
        if (folder / WHOLE).exists():
            return
        model, tokenizer = load_model(base)
        args = replace(self.rft, seed=seed, output_dir=str(folder))
        trainer = RFTTrainer(
            model=model,
            tokenizer=tokenizer,
            envs=arm.env_ids,
            args=args,
            style=self.style,
            on_log=self._teller("reinforcement", args.max_steps, "success", say),
        )
        trainer.train(resume_from_checkpoint=True)
        self._finish(folder, seed, trainer.model, tokenizer)

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of the model in *folder*, at the temperature of training."""
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

    @staticmethod
    def _teller(what: str, steps: int, key: str, say: Say) -> Callable[[Row], None]:
        every = max(1, steps // 10)

        def tell(row: Row) -> None:
            if row["step"] % every == 0:
                say(f"  {what} {row['step']}/{steps}: {key} {row[key]:.3f}")

        return tell


QUICK = TinyRecipe(
    name="quick",
    # a level is all there is to know: no turn needs the ones before it
    style=PromptStyle(format="action", instruction=False, window=0, keep_first=False),
    size=TinySize(layers=3, width=128, heads=4, vocabulary=512, context=2048),
    text_episodes=600,
    demonstrations={SOKOBAN: 2500, TEXTCRAFT: 400},
    warm_start=SFTConfig(
        learning_rate=1.5e-3, max_steps=800, batch_size=64, warmup_steps=20, save_steps=200
    ),
    rft=RFTConfig(
        learning_rate=1e-3,
        max_steps=100,
        tasks_per_step=8,
        num_generations=16,
        invalid_penalty=0.05,
        max_new_tokens=24,
        save_steps=20,
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
