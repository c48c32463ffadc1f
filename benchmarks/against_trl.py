"""The cost of training steps of `RFTTrainer` and of TRL's `GRPOTrainer`, as a Markdown table.

    pip install trl datasets
    python benchmarks/against_trl.py [--tasks 2] [--generations 8] [--steps 2] [--rounds 3]

Only this file needs TRL. A tiny model learns from random admissible actions to answer with tool
calls, under the chat template of Qwen2.5 as TRL renders it, with the schema of the tool. Then both
trainers run in turns: each time from the same weights, on the same tasks, to the same turn limit,
with the same greatest length of an answer and one update. A check compares the prompts of both
sides token by token.

The warm-up uses random actions instead of the expert's: an expert is done after a few turns, and a
model trained on it ends episodes early, which TRL leaves to the model. So the reward is the share
of valid actions, plus 1 for the rare success.

The settings that differ from TRL's defaults are those that ours has by default: single precision,
no gradient checkpointing, a limit on the tokens of one answer. The temperature is 0.5 for both: at
1, so small a model breaks 7 calls in 100, each of which ends an episode of TRL. The last call of an
episode is carried out by ours and not by TRL. Times are CPU time. Memory is the greatest resident
size of a process that makes the steps of one side only, less that before the first.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback

from agentgym_gen.agents.policy import RandomPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers import (
    RFTConfig,
    RFTTrainer,
    SFTConfig,
    SFTTrainer,
    TinySize,
    build_tiny,
    load_model,
)
from agentgym_gen.trainers.demos import Demonstrator, expert_texts, sample_episodes
from agentgym_gen.trainers.models.chat import ChatFormat
from agentgym_gen.trainers.models.types import Model, Tokenizer

STYLE = PromptStyle("tool", instruction=False)
TURNS = 8
NEW_TOKENS = 64
EPISODE_TOKENS = 1024
CONTEXT = 4096
LEARNING_RATE = 1e-5
TEMPERATURE = 0.5
SIDES = ("ours", "TRL")

TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first %}{{ BEGIN + message['content'] + '<|im_end|>\n' }}"
    "{% elif message['role'] == 'user' %}{{ BEFORE + message['content'] + AFTER }}"
    "{% else %}{{ '<|im_start|>assistant\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""How our side writes what TRL renders from a schema, tool calls and messages of a tool."""


@dataclass(frozen=True)
class StepMeasurement:
    """The time of a training step, and averages over its episodes."""

    seconds: float
    """The CPU seconds."""
    turns: float
    """How many answers an episode has."""
    tokens: float
    """How many tokens are sampled in an episode."""
    reward: float
    """The mean reward."""
    zero_variance: float
    """The share of groups whose rewards are equal."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", default="rftgen/TextCraft-medium-v0", help="the environment")
    parser.add_argument("--tasks", type=int, default=2, help="how many tasks a step plays")
    parser.add_argument("--generations", type=int, default=8, help="how often it plays each")
    parser.add_argument("--steps", type=int, default=2, help="how many steps a side makes at once")
    parser.add_argument("--rounds", type=int, default=3, help="how many times each side trains")
    parser.add_argument("--warm", type=int, default=250, help="the updates of the warm-up")
    parser.add_argument("--folder", help="where the warm model is saved, or was by an earlier run")
    parser.add_argument("--only", choices=SIDES, help="one side, whose memory is printed as JSON")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(Bench(options).memory(options.only)))
        return
    with tempfile.TemporaryDirectory() as folder:
        options.folder = options.folder or folder
        if not Path(options.folder, "config.json").is_file():
            warm_up(options.env, options.warm, options.folder)
        report(options)


def report(options: argparse.Namespace) -> None:
    """Measure both sides in turns and print the table."""
    megabytes = [memory(side, options) for side in SIDES]
    bench = Bench(options)
    steps: dict[str, list[StepMeasurement]] = {side: [] for side in SIDES}
    for number in range(options.rounds):
        for side in SIDES if number % 2 == 0 else SIDES[::-1]:
            steps[side] += bench.train(side, number)
    episodes = options.tasks * options.generations
    print(
        f"{options.env}, {episodes} episodes a step, {bench.parameters:,} parameters, prompts of "
        f"{bench.prompt_tokens} tokens; medians of {len(steps[SIDES[0]])} steps, least and greatest"
    )
    print("\n| | ours | TRL | TRL / ours |\n|---|---:|---:|---:|")
    for name, value in {
        "CPU seconds a step": lambda step: step.seconds,
        "sampled tokens a CPU second": lambda step: episodes * step.tokens / step.seconds,
        "answers an episode": lambda step: step.turns,
        "sampled tokens an episode": lambda step: step.tokens,
        "mean reward": lambda step: step.reward,
        "groups of equal rewards": lambda step: step.zero_variance,
    }.items():
        print(line(name, *([value(step) for step in steps[side]] for side in SIDES)))
    print(line("MB beyond the loaded model", *([value] for value in megabytes)))


def line(name: str, ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Return a row of the table."""
    cells = [_spread(ours), _spread(theirs)]
    middle = statistics.median(ours)
    ratio = f"{statistics.median(theirs) / middle:.2f}" if middle else "-"
    return f"| {name} | {cells[0]} | {cells[1]} | {ratio} |"


def _spread(values: Sequence[float]) -> str:
    def format_value(value: float) -> str:
        return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"

    if len(values) == 1:
        return format_value(values[0])
    least, middle, most = min(values), statistics.median(values), max(values)
    return f"{format_value(middle)} ({format_value(least)}-{format_value(most)})"


def memory(side: str, options: argparse.Namespace) -> float:
    """Return the megabytes that the steps of one *side* take in a process of their own."""
    given = {name: value for name, value in vars(options).items() if name != "only"}
    more = [f"--{name}={value}" for name, value in given.items()]
    command = [sys.executable, sys.argv[0], *more, f"--only={side}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def warm_up(env: str, updates: int, folder: str) -> None:
    """Leave in *folder* a tiny model that nearly always calls the tool."""
    model, tokenizer = with_tools(env)
    tokenizer.chat_template = our_template(tokenizer, env)
    episodes = sample_episodes([env], "train", 400, 1, {"max_turns": TURNS})
    trajectories = run(episodes, Demonstrator(RandomPolicy(), tokenizer), style=STYLE)
    args = SFTConfig(max_steps=updates, batch_size=4, learning_rate=3e-3, lora_rank=0)
    log = SFTTrainer(model, tokenizer, args, trajectories).train()
    print(f"Warm-up: loss {log[0]['loss']:.3f} to {log[-1]['loss']:.3f}", file=sys.stderr)
    tokenizer.chat_template = qwen_template()
    check_same(tokenizer, trajectories[0], env)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def with_tools(env: str) -> tuple[Model, Tokenizer]:
    """Return a tiny model with random weights that knows Qwen2.5's control tokens."""
    template = qwen_template() * 20  # often enough that its words become tokens
    texts = expert_texts([env], STYLE, number=100)
    model, tokenizer = build_tiny([*texts, template], size=TinySize(context=CONTEXT))
    tokenizer.add_special_tokens(
        {"eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>"]}
    )
    tokenizer.add_tokens(["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"])
    tokenizer.chat_template = qwen_template()
    torch.manual_seed(0)  # for the rows of the new tokens
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model, tokenizer


def qwen_template() -> str:
    """Return the chat template of Qwen2.5 as TRL knows it."""
    from trl.chat_template_utils import qwen2_5_chat_template

    return str(qwen2_5_chat_template)


class Tools:
    """An episode in the form that TRL expects: an object with one tool.

    Args:
        env: The id of the environment.
    """

    def __init__(self, env: str) -> None:
        self._env = make_text_env(env, "train", {"max_turns": TURNS})
        self._done, self._success = True, False
        self._valid: list[bool] = []

    def reset(self, task_id: str, **row: object) -> str:
        """Start the episode of the task and return the first observation."""
        observation, _ = self._env.reset(options={"task_id": task_id})
        self._done, self._success, self._valid = False, False, []
        return observation

    def act(self, action: str) -> str:
        """Take one action.

        Args:
            action: The action.
        """
        if self._done:
            raise ValueError("The episode is over")
        observation, _, terminated, truncated, info = self._env.step(action)
        self._done = terminated or truncated
        self._valid.append(info["valid_action"])
        self._success = info["success"]
        return observation

    def get_reward(self) -> float:
        """Return the reward that ours gets with `valid_coef=1`."""
        return self._success + sum(self._valid) / max(1, len(self._valid))


def data_set(tasks: Sequence[str]) -> object:
    """Return *tasks* as a data set for TRL.

    The fingerprint is set by hand: datasets 5.2 cannot hash a table of pyarrow 26.
    """
    from datasets import Dataset
    from datasets.table import InMemoryTable

    prompt = [{"role": "user", "content": ""}]
    columns = {"prompt": [prompt] * len(tasks), "task_id": list(tasks)}
    return Dataset(InMemoryTable.from_pydict(columns), fingerprint="tasks")


def our_template(tokenizer: Tokenizer, env: str) -> str:
    """Return the template that renders our messages as TRL renders its own."""
    question, answer = "qxzseenqxz", "qxzansweredqxz"
    prompt = [{"role": "user", "content": question}]
    call = {"type": "function", "function": {"name": "act", "arguments": {"action": ""}}}
    tool_call = {"role": "assistant", "content": "", "tool_calls": [call]}
    result = {"role": "tool", "name": "act", "content": answer}
    render = partial(tokenizer.apply_chat_template, tools=[Tools(env).act], tokenize=False)
    rest = str(render([*prompt, tool_call, result]))
    before, after = rest.removeprefix(str(render([*prompt, tool_call]))).split(answer)
    parts = {"BEGIN": str(render(prompt)).split(question)[0], "BEFORE": before, "AFTER": after}
    template = TEMPLATE
    for name, text in parts.items():
        template = template.replace(name, json.dumps(text))
    return template


def check_same(tokenizer: Tokenizer, trajectory: Trajectory, env: str) -> None:
    """Raise unless TRL renders the episode *trajectory* as the same tokens as ours.

    Raises:
        InvalidValueError: if it does not.
    """
    messages: list[dict[str, Any]] = []
    for turn in trajectory.turns:
        call = {
            "type": "function",
            "function": {"name": "act", "arguments": {"action": turn.action}},
        }
        role = "tool" if messages else "user"
        messages.append({"role": role, "name": "act", "content": turn.observation})
        messages.append({"role": "assistant", "content": "", "tool_calls": [call]})
    theirs = tokenizer.apply_chat_template(messages, tools=[Tools(env).act], return_dict=False)
    ours = list(trajectory.sequences()[0].ids)
    if list(theirs)[: len(ours)] != ours:
        raise InvalidValueError(
            f"TRL renders {tokenizer.decode(theirs)!r}, ours {tokenizer.decode(ours)!r}; give both "
            "the same template"
        )


class Bench:
    """A warm-started model, the tasks that both sides play, and the two trainers.

    Args:
        options: Those of the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        episodes = sample_episodes([options.env], "train", options.tasks, 2)
        self._tasks = [episode.task_id for episode in episodes]
        model, tokenizer = load_model(options.folder)
        self.parameters = sum(weight.numel() for weight in model.parameters())
        tokenizer.chat_template = our_template(tokenizer, options.env)
        first = make_text_env(options.env, "train").reset(options={"task_id": self._tasks[0]})[0]
        opening = ChatFormat(tokenizer).opening([{"role": "user", "content": first}])
        self.prompt_tokens = len(opening)

    def memory(self, side: str) -> float:
        """Return the megabytes by which the steps of *side* make the process grow."""
        work = self._ours(0)[0] if side == SIDES[0] else self._theirs(0)[0]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work()
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10

    def train(self, side: str, seed: int) -> list[StepMeasurement]:
        """Train from the warm-started weights and return the steps of *side*."""
        work, clock = self._ours(seed) if side == SIDES[0] else self._theirs(seed)
        work()
        read = our_step if side == SIDES[0] else their_step
        return [read(*pair) for pair in zip(clock.seconds, clock.rows, strict=True)]

    def _ours(self, seed: int) -> tuple[Callable[[], object], Clock]:
        options, clock = self._options, Clock()
        model, tokenizer = load_model(options.folder)
        tokenizer.chat_template = our_template(tokenizer, options.env)
        args = RFTConfig(
            max_steps=options.steps,
            tasks_per_step=options.tasks,
            num_generations=options.generations,
            max_new_tokens=NEW_TOKENS,
            max_turns=TURNS,
            valid_coef=1.0,
            learning_rate=LEARNING_RATE,
            temperature=TEMPERATURE,
            lora_rank=0,
            seed=seed,
        )
        trainer = RFTTrainer(
            model=model,
            tokenizer=tokenizer,
            envs=[options.env],
            args=args,
            style=STYLE,
            options={"tasks": self._tasks},
            callbacks=[clock],
        )
        return trainer.train, clock

    def _theirs(self, seed: int) -> tuple[Callable[[], object], Clock]:
        from trl import GRPOConfig, GRPOTrainer

        options, clock = self._options, Clock()
        model, tokenizer = load_model(options.folder)
        batch = GRPOConfig.per_device_train_batch_size
        args = GRPOConfig(
            output_dir=options.folder,
            max_steps=options.steps,
            gradient_accumulation_steps=options.tasks * options.generations // batch,
            num_generations=options.generations,
            max_completion_length=EPISODE_TOKENS,
            generation_kwargs={"max_new_tokens": NEW_TOKENS},
            max_tool_calling_iterations=TURNS - 1,
            learning_rate=LEARNING_RATE,
            temperature=TEMPERATURE,
            lr_scheduler_type="constant",
            bf16=False,
            gradient_checkpointing=False,
            use_cpu=True,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=seed,
        )
        trainer = GRPOTrainer(
            model=model,
            processing_class=tokenizer,
            args=args,
            train_dataset=data_set(self._tasks),
            environment_factory=partial(Tools, options.env),
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        return trainer.train, clock


class Clock(TrainerCallback):
    """Measures the CPU time of every step of either trainer, and keeps the row logged for it."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        """The CPU seconds of each step."""
        self.rows: list[dict[str, float]] = []
        """The row of each step."""
        self._start = 0.0

    def on_step_begin(self, *_: object, **__: object) -> None:
        """Start the clock."""
        self._start = time.process_time()

    def on_step_end(self, *_: object, **__: object) -> None:
        """Stop the clock."""
        self.seconds.append(time.process_time() - self._start)

    def on_log(self, *_: object, **extras: Any) -> None:  # noqa: ANN401
        """Keep the row of a step; TRL logs the whole training, too."""
        if "reward" in extras["logs"]:
            self.rows.append(dict(extras["logs"]))


def our_step(seconds: float, row: dict[str, float]) -> StepMeasurement:
    """Return the measurement of a row of our log."""
    zero_variance = row["zero_variance_groups"] / row["groups"]
    return StepMeasurement(
        seconds, row["turns"], row["action_tokens"], row["reward"], zero_variance
    )


def their_step(seconds: float, row: dict[str, float]) -> StepMeasurement:
    """Return the measurement of a row of TRL's log; it does not count the last answer as a call."""
    turns, tokens = 1 + row["tools/call_frequency"], row["completions/mean_length"]
    return StepMeasurement(seconds, turns, tokens, row["reward"], row["frac_reward_zero_std"])


if __name__ == "__main__":
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    main()
