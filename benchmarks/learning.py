"""The gain of reinforcement fine-tuning: success before and after, over several seeds.

    python benchmarks/learning.py alfworld|babyai|searchqa|sokoban|textcraft|textworld|webshop
        [--seeds 0 1 2] [--steps N] [--out FOLDER]

Each seed builds a tiny model, gives it a warm start (on random play in BabyAI, TextCraft and
TextWorld, on expert moves in the others), trains it by its own episodes, and plays the same tasks
of the test split before and after. The interval is Student's over the gains of the seeds, so that
it covers training again, not only playing again. The success of a random choice of the listed
actions is printed too.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentgym_gen.agents.policy import RandomPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import run
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
    demonstrations,
    expert_texts,
    sample_episodes,
)
from agentgym_gen.trainers.models.progress_bars import hide_progress_bars

STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
"""The 97.5 % quantiles of Student's distribution, by the number of seeds."""


@dataclass(frozen=True)
class Setting:
    """An environment and the settings of its training."""

    env_id: str
    style: PromptStyle
    size: TinySize
    demonstrations: Mapping[str, int]
    """How many episodes of each environment are in the warm start."""
    warm_start: SFTConfig
    rft: RFTConfig
    epsilon: Mapping[str, float] = field(default_factory=dict)
    """The probability of a turn at random in them, 0 where it is missing; see `demonstrations`."""
    text_episodes: int = 200
    """How many expert episodes of each environment make the vocabulary."""
    tasks: int = 100
    """How many tasks are played, each twice, before and after."""


MOVES = PromptStyle("action", instruction=False, window=0)
CRAFT = "rftgen/TextCraft-easy-v0?interface=menu+renamed"
QUESTIONS = "rftgen/SearchQA-easy-v0?interface=menu+renamed&k=1"
INVENTED_QUESTIONS = "rftgen/SearchQA-easy-menu-v0?k=1&facts=invented"
COINS = "rftgen/TextWorld-easy-v0?interface=listed&challenge=coin_collector&first=400"
SHOP = "rftgen/WebShop-easy-v0?interface=menu+terse"
FIRST_QUERIES = {
    f"rftgen/WebShop-{tier}-v0?interface=menu+terse&max_turns=1": number
    for tier, number in (("easy", 2285), ("medium", 1160), ("hard", 1046))
}
"""Episodes of WebShop that end with the query, and how many tasks of training there are."""

COPYING = TinySize(
    layers=3, width=64, heads=4, vocabulary=1536, context=4096, initializer_range=0.05
)
"""A model that learns to copy words (``benchmarks/copying.py``)."""

WARM_START = SFTConfig(learning_rate=3e-3, final_lr_ratio=0.2, warmup_steps=20, lora_rank=0)
"""What the warm starts of copying models have in common."""

RFT = RFTConfig(
    loss_average="episode",
    episode_coef=0.5,
    step_coef=0.5,
    discount=0.9,
    max_valid_drop=0.9,
    lora_rank=0,
)
"""What all trainings have in common."""

COPYING_RFT = replace(
    RFT,
    learning_rate=4e-4,
    lr_scheduler_type="linear",
    warmup_steps=2,
    mini_batch_tasks=4,
    invalid_penalty=0.2,
    max_new_tokens=12,
)
"""What the trainings have in common in which actions are written out, and names copied."""

SETTINGS = {
    "sokoban": Setting(
        env_id="rftgen/Sokoban-easy-listed-v0",
        style=replace(MOVES, keep_first=False),
        size=TinySize(layers=4, width=64, heads=4, vocabulary=512, context=4096),
        demonstrations={"rftgen/Sokoban-easy-v0": 4000, "rftgen/Sokoban-easy-listed-v0": 300},
        warm_start=SFTConfig(
            learning_rate=2e-3, max_steps=600, batch_size=64, warmup_steps=20, lora_rank=0
        ),
        rft=replace(
            RFT,
            learning_rate=5e-4,
            max_steps=110,
            warmup_steps=5,
            tasks_per_step=40,
            max_new_tokens=8,
        ),
    ),
    # The warm start shows valid actions, but not which are good: so small a model memorises an
    # expert and does not improve on it. Names are invented for each task, so that a name means as
    # little in the training split as in the test split, which shares no goal with it.
    "textcraft": Setting(
        env_id=CRAFT,
        style=MOVES,
        size=TinySize(layers=3, width=64, heads=4, vocabulary=1024, context=4096),
        demonstrations={CRAFT: 100},
        epsilon={CRAFT: 1.0},
        warm_start=SFTConfig(
            learning_rate=2e-3,
            final_lr_ratio=0.3,
            max_steps=24,
            batch_size=32,
            warmup_steps=10,
            lora_rank=0,
        ),
        rft=replace(
            RFT,
            learning_rate=7e-4,
            max_steps=50,
            warmup_steps=2,
            tasks_per_step=8,
            max_new_tokens=4,
        ),
        text_episodes=100,
    ),
    # The expert that searches leaves the model room: what it does next depends on what it has seen.
    "alfworld": Setting(
        env_id="rftgen/ALFWorld-easy-v0",
        style=MOVES,
        size=COPYING,
        demonstrations={"rftgen/ALFWorld-easy-v0?expert=search": 5000},
        warm_start=replace(WARM_START, max_steps=1000, batch_size=64),
        rft=replace(COPYING_RFT, max_steps=60, tasks_per_step=16, max_turns=20),
        text_episodes=100,
    ),
    # Random play again, and long enough for the model to copy an action from the list of them.
    "babyai": Setting(
        env_id="rftgen/BabyAI-easy-v0",
        style=MOVES,
        size=COPYING,
        demonstrations={"rftgen/BabyAI-easy-v0": 800},
        epsilon={"rftgen/BabyAI-easy-v0": 1.0},
        warm_start=replace(WARM_START, max_steps=700, batch_size=32),
        rft=replace(COPYING_RFT, max_steps=50, tasks_per_step=12, max_turns=12),
        text_episodes=100,
    ),
    # To find the coin is not to turn back: a turn shows the one before it, and the exit taken then.
    "textworld": Setting(
        env_id=COINS,
        style=replace(MOVES, window=1),
        size=replace(COPYING, heads=2),
        demonstrations={COINS: 100},
        epsilon={COINS: 1.0},
        warm_start=replace(WARM_START, max_steps=500, batch_size=32),
        rft=replace(COPYING_RFT, max_steps=40, tasks_per_step=8),
        text_episodes=60,
    ),
    # One passage, in which every task has names of its own: to answer is to copy what was read. The
    # menu makes a word the same tokens in the question, in the query and in the answer.
    "searchqa": Setting(
        env_id=QUESTIONS,
        style=MOVES,
        size=COPYING,
        demonstrations={
            QUESTIONS: 2900,
            INVENTED_QUESTIONS: 2900,
            f"{QUESTIONS}&facts=invented": 2900,
        },
        warm_start=replace(WARM_START, max_steps=1500, batch_size=64),
        rft=replace(
            RFT,
            learning_rate=4e-4,
            max_steps=240,
            lr_scheduler_type="linear",
            warmup_steps=5,
            tasks_per_step=40,
            max_new_tokens=12,
            max_turns=5,
        ),
        text_episodes=100,
        tasks=200,
    ),
    # A query is a copy of words of the goal, which the first turn alone of every task there is
    # practises (an epsilon above 0 keeps the episodes that one turn does not win). What comes after
    # it is shown nearly at random, in the list of a menu, where a product is a number.
    "webshop": Setting(
        env_id=SHOP,
        style=replace(MOVES, keep_first=False),
        size=replace(COPYING, vocabulary=2560),
        demonstrations={SHOP: 1500, **FIRST_QUERIES},
        epsilon={SHOP: 0.9, **dict.fromkeys(FIRST_QUERIES, 0.02)},
        warm_start=replace(WARM_START, max_steps=1600, batch_size=32),
        rft=replace(COPYING_RFT, max_steps=80, tasks_per_step=16, max_new_tokens=40, max_turns=8),
        text_episodes=600,
        tasks=800,
    ),
}


class TenthsPrinter(TrainerCallback):
    """Prints ten rows of a training."""

    def on_step_end(self, args: Any, state: Any, control: Any, **extras: Any) -> None:  # noqa: ANN401
        """Print the step, if it is time."""
        row = extras["row"]
        if row["step"] % max(1, args.max_steps // 10) == 0:
            metrics = {k: round(row[k], 3) for k in ("loss", "success", "valid") if k in row}
            print(f"  {row['step']}/{args.max_steps} {metrics}", flush=True)


def main() -> None:
    """Print a line for each seed, and the gain with its interval."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(SETTINGS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, help="the number of steps, in place of the setting's")
    parser.add_argument("--split", default="test", help="the split that is measured")
    parser.add_argument("--out", type=Path, help="where logs and checkpoints go")
    options = parser.parse_args()
    hide_progress_bars()
    setting = SETTINGS[options.name]
    if options.steps:
        setting = replace(setting, rft=replace(setting.rft, max_steps=options.steps))
    gains = [gain_of(setting, seed, options.split, options.out) for seed in options.seeds]
    print(f"random choice: {100 * chance(setting, options.split):.1f}")
    mean = statistics.fmean(gains)
    if len(gains) in STUDENT:
        half = STUDENT[len(gains)] * statistics.stdev(gains) / len(gains) ** 0.5
        print(f"gain {mean:+.1f} points [{mean - half:+.1f}, {mean + half:+.1f}], n = {len(gains)}")
    else:
        print(f"gain {mean:+.1f} points, n = {len(gains)}")


def gain_of(setting: Setting, seed: int, split: str, out: Path | None) -> float:
    """Train with *seed* and return the gain of success in percentage points."""
    start = minutes()
    texts: list[str] = []
    for env_id in setting.demonstrations:
        style = setting.style.for_env(env_id)
        texts += expert_texts([env_id], style, number=setting.text_episodes, seed=seed)
    model, tokenizer = build_tiny(texts, seed, setting.size)
    trajectories = [
        trajectory
        for env_id, number in setting.demonstrations.items()
        for trajectory in demonstrations(
            [env_id],
            tokenizer,
            setting.style.for_env(env_id),
            number=number,
            seed=seed,
            epsilon=setting.epsilon.get(env_id, 0.0),
        )
    ]
    warm_start = replace(setting.warm_start, seed=seed)
    SFTTrainer(model, tokenizer, warm_start, trajectories, [TenthsPrinter()]).train()
    warm = minutes()
    folder = str(out / f"s{seed}") if out else ""
    trainer = RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=[setting.env_id],
        args=replace(setting.rft, seed=seed, output_dir=folder),
        style=setting.style,
        callbacks=[TenthsPrinter()],
    )
    before = trainer.evaluate(k=2, split=split, number=setting.tasks)["success"]
    evaluated = minutes()
    trainer.train()
    wall, cpu = minutes() - evaluated + warm - start
    after = trainer.evaluate(k=2, split=split, number=setting.tasks)["success"]
    gain = 100 * (after - before)
    print(
        f"seed {seed}: {100 * before:.1f} to {100 * after:.1f}, {gain:+.1f} points, "
        f"{wall:.1f} minutes of training, {cpu:.1f} of one core",
        flush=True,
    )
    return gain


def chance(setting: Setting, split: str) -> float:
    """Return the success of a random choice of admissible actions on the measured tasks."""
    tasks = sample_episodes([setting.env_id], split, setting.tasks, 0)
    episodes = [replace(task, sample=sample) for task in tasks for sample in range(20)]
    return statistics.fmean(episode.success for episode in run(episodes, RandomPolicy()))


def minutes() -> NDArray[np.float64]:
    """Return the minutes of wall clock and of CPU time, each from some fixed start."""
    return np.array([time.perf_counter(), time.process_time()]) / 60


if __name__ == "__main__":
    main()
