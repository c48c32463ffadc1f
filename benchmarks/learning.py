"""Whether reinforcement fine-tuning helps: success before and after, over several seeds.

    python benchmarks/learning.py sokoban|textcraft [--seeds 3] [--steps N] [--out FOLDER]

Each seed builds a tiny model, warms it up (on experts' moves in Sokoban, on random play in
TextCraft), trains it by its own episodes, and plays the same tasks of the test split before and
after. The interval is Student's over the gains, so that it speaks of training again, not of playing
again. Beside it is what a random choice of the listed actions wins.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentgym_gen.agents.policy import Policy, RandomPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.trainers import (
    RFTConfig,
    RFTTrainer,
    SFTConfig,
    SFTTrainer,
    TinySize,
    build_tiny,
)
from agentgym_gen.trainers.callbacks import TrainerCallback
from agentgym_gen.trainers.demos import (
    Demonstrator,
    demonstrations,
    expert_texts,
    sample_episodes,
)
from agentgym_gen.trainers.models.progress_bars import hide_progress_bars
from agentgym_gen.trainers.models.types import Tokenizer

STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
"""The 97.5 % quantiles of Student's distribution, by the number of seeds."""


@dataclass(frozen=True)
class Setting:
    """An environment and how it is learnt."""

    env_id: str
    style: PromptStyle
    size: TinySize
    shown: Mapping[str, int]
    """How many episodes of each environment the warm start shows."""
    warm: SFTConfig
    rft: RFTConfig
    player: Policy | None = None
    """Who plays what the warm start shows; None is the expert, who plays to success."""
    text_episodes: int = 200
    """How many expert episodes of each environment make the vocabulary."""


TASKS = 100
"""How many tasks are played, each twice, before and after."""

MOVES = PromptStyle("action", instruction=False, window=0)
CRAFT = "rftgen/TextCraft-easy-v0?interface=menu+renamed"

SETTINGS = {
    "sokoban": Setting(
        env_id="rftgen/Sokoban-easy-listed-v0",
        style=replace(MOVES, keep_first=False),
        size=TinySize(layers=4, width=64, heads=4, vocabulary=512, context=4096),
        shown={"rftgen/Sokoban-easy-v0": 4000, "rftgen/Sokoban-easy-listed-v0": 300},
        warm=SFTConfig(
            learning_rate=2e-3, max_steps=600, batch_size=64, warmup_steps=20, lora_rank=0
        ),
        rft=RFTConfig(
            learning_rate=5e-4,
            max_steps=110,
            warmup_steps=5,
            tasks_per_step=40,
            loss_average="episode",
            episode_coef=0.5,
            step_coef=0.5,
            discount=0.9,
            max_new_tokens=8,
            max_valid_drop=0.9,
            lora_rank=0,
        ),
    ),
    # Shown what can be said, and nothing of what to do: an expert shown to so small a model is
    # learnt by heart, and not outgrown. Names are invented for each task, so that a name says as
    # little in the training split as in the test split, which shares no goal with it.
    "textcraft": Setting(
        env_id=CRAFT,
        style=MOVES,
        size=TinySize(layers=3, width=64, heads=4, vocabulary=1024, context=4096),
        shown={CRAFT: 100},
        player=RandomPolicy(),
        warm=SFTConfig(
            learning_rate=2e-3,
            final_lr_ratio=0.3,
            max_steps=24,
            batch_size=32,
            warmup_steps=10,
            lora_rank=0,
        ),
        rft=RFTConfig(
            learning_rate=7e-4,
            max_steps=50,
            warmup_steps=2,
            tasks_per_step=8,
            loss_average="episode",
            episode_coef=0.5,
            step_coef=0.5,
            discount=0.9,
            max_new_tokens=4,
            max_valid_drop=0.9,
            lora_rank=0,
        ),
        text_episodes=100,
    ),
}


class Told(TrainerCallback):
    """Prints every tenth of a training."""

    def on_step_end(self, args: Any, state: Any, control: Any, **extras: Any) -> None:  # noqa: ANN401
        """Print the step, if it is time."""
        row = extras["row"]
        if row["step"] % max(1, args.max_steps // 10) == 0:
            shown = {key: round(row[key], 3) for key in ("loss", "success", "valid") if key in row}
            print(f"  {row['step']}/{args.max_steps} {shown}", flush=True)


def main() -> None:
    """Print a line for each seed, and the gain with its interval."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(SETTINGS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="another number of steps than the setting's")
    parser.add_argument("--split", default="test", help="where it is measured")
    parser.add_argument("--out", type=Path, help="where logs and checkpoints go")
    options = parser.parse_args()
    hide_progress_bars()
    setting = SETTINGS[options.name]
    if options.steps:
        setting = replace(setting, rft=replace(setting.rft, max_steps=options.steps))
    gains = [gain_of(setting, seed, options.split, options.out) for seed in range(options.seeds)]
    print(f"random choice: {100 * chance(setting, options.split):.1f}")
    mean = statistics.fmean(gains)
    if len(gains) in STUDENT:
        half = STUDENT[len(gains)] * statistics.stdev(gains) / len(gains) ** 0.5
        print(f"gain {mean:+.1f} points [{mean - half:+.1f}, {mean + half:+.1f}], n = {len(gains)}")
    else:
        print(f"gain {mean:+.1f} points, n = {len(gains)}")


def gain_of(setting: Setting, seed: int, split: str, out: Path | None) -> float:
    """Train with *seed* and return by how many points success rises."""
    began = minutes()
    texts: list[str] = []
    for env_id in setting.shown:
        style = setting.style.for_env(env_id)
        texts += expert_texts([env_id], style, number=setting.text_episodes, seed=seed)
    model, tokenizer = build_tiny(texts, seed, setting.size)
    shown = [
        trajectory
        for env_id, number in setting.shown.items()
        for trajectory in played(setting, env_id, tokenizer, number, seed)
    ]
    SFTTrainer(model, tokenizer, replace(setting.warm, seed=seed), shown, [Told()]).train()
    warmed = minutes()
    folder = str(out / f"s{seed}") if out else ""
    trainer = RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=[setting.env_id],
        args=replace(setting.rft, seed=seed, output_dir=folder),
        style=setting.style,
        callbacks=[Told()],
    )
    before = trainer.evaluate(k=2, split=split, number=TASKS)["success"]
    ready = minutes()
    trainer.train()
    taken, busy = minutes() - ready + warmed - began
    after = trainer.evaluate(k=2, split=split, number=TASKS)["success"]
    gain = 100 * (after - before)
    print(
        f"seed {seed}: {100 * before:.1f} to {100 * after:.1f}, {gain:+.1f} points, "
        f"{taken:.1f} minutes of training, {busy:.1f} of one core",
        flush=True,
    )
    return gain


def played(
    setting: Setting, env_id: str, tokenizer: Tokenizer, number: int, seed: int
) -> list[Trajectory]:
    """Return *number* episodes of *env_id* for the warm start."""
    style = setting.style.for_env(env_id)
    if setting.player is None:
        return demonstrations([env_id], tokenizer, style, number=number, seed=seed)
    episodes = sample_episodes([env_id], "train", number, seed)
    return run(episodes, Demonstrator(setting.player, tokenizer), style=style, seed=seed)


def chance(setting: Setting, split: str) -> float:
    """Return how often a random choice of admissible actions wins the tasks that are measured."""
    tasks = sample_episodes([setting.env_id], split, TASKS, 0)
    episodes = [replace(task, sample=sample) for task in tasks for sample in range(20)]
    return statistics.fmean(each.success for each in run(episodes, RandomPolicy()))


def minutes() -> NDArray[np.float64]:
    """Return the minutes on the clock, and those that this process has kept a core busy."""
    return np.array([time.perf_counter(), time.process_time()]) / 60


if __name__ == "__main__":
    main()
