"""The speed and memory of the trainer against plain implementations, as a Markdown table.

    python benchmarks/trainer.py [--model rftgen-tiny|smollm2] [--episodes 32] [--turns 8]

Both implementations are measured in one run, one after the other, by CPU time of the process, which
other programs hardly change. Rollouts play the same tasks of TextCraft for the same number of
turns, all with completions of the same length. The plain rollout calls ``model.generate`` on the
whole history each turn, all episodes in one padded batch. The plain update pads all sequences to
the longest and computes logits everywhere. Memory is the greatest resident size of a process that
does nothing else, less that of one that has only loaded the model.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from agentgym_gen.agents.policy import Completion, Request
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.trainers.algorithm.scoring import action_logp
from agentgym_gen.trainers.demos import sample_episodes, vocabulary_texts
from agentgym_gen.trainers.models.chat import ChatFormat
from agentgym_gen.trainers.models.loading import resolve_model
from agentgym_gen.trainers.models.types import Model
from agentgym_gen.trainers.packing.micro_batches import Sample, pack
from agentgym_gen.trainers.sampling.model_policy import ModelPolicy

ENV = "rftgen/TextCraft-easy-v0"
STYLE = PromptStyle("action", instruction=False)
NEW_TOKENS = 12
WORKLOADS = ("rollout", "plain rollout", "update", "plain update", "nothing")


class PlainPolicy:
    """Generates from the whole history of each episode, without a cache between turns."""

    def __init__(self, model: Model, tokenizer: Any) -> None:  # noqa: ANN401
        self._model, self._chat = model, ChatFormat(tokenizer)

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*."""
        import torch

        prompts = [self._chat.opening(request.messages) for request in requests]
        width, pad = max(map(len, prompts)), self._chat.pad_id
        ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=True,
                top_k=0,
                max_new_tokens=NEW_TOKENS,
                min_new_tokens=NEW_TOKENS,
                pad_token_id=pad,
            )
        answers = out[:, width:].tolist()
        return [Completion(self._chat.text(answer), action_ids=tuple(answer)) for answer in answers]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="rftgen-tiny", help="a name that RFTTrainer takes")
    parser.add_argument("--episodes", type=int, default=32, help="how many are played at once")
    parser.add_argument("--turns", type=int, default=8, help="how many turns each has")
    parser.add_argument(
        "--only", choices=WORKLOADS, help="one workload, whose memory is printed as JSON"
    )
    options = parser.parse_args()
    if options.only:
        Bench(options.model, options.episodes, options.turns).workload(options.only)()
        print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10))
        return
    # before anything is loaded: the peak memory of a child starts with that of its parent
    used = {workload: memory(workload) for workload in WORKLOADS}
    bench = Bench(options.model, options.episodes, options.turns)
    print(f"{options.model}: {options.episodes} episodes of {options.turns} turns\n")
    print("| what | ours, tokens/s | plain, tokens/s | ratio | ours, MB | plain, MB |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in ("rollout", "update"):
        ours, plain = bench.speed(name), bench.speed(f"plain {name}")
        extra = [used[workload] - used["nothing"] for workload in (name, f"plain {name}")]
        print(
            f"| {name} | {ours:,.0f} | {plain:,.0f} | {ours / plain:.1f} "
            f"| {extra[0]:,.0f} | {extra[1]:,.0f} |",
            flush=True,
        )


def memory(workload: str) -> float:
    """Return the greatest resident size, in MB, of a process that runs one *workload*."""
    command = [sys.executable, *sys.argv, "--only", workload]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(result.stdout.splitlines()[-1]))


class Bench:
    """A model and the tasks that it plays.

    Args:
        name: The name of the model.
        episodes: How many episodes are played at once, four of each task.
        turns: How many turns each has.
    """

    def __init__(self, name: str, episodes: int, turns: int) -> None:
        self.model, self.tokenizer = resolve_model(
            name, None, vocabulary_texts=lambda: vocabulary_texts([ENV], STYLE, 0)
        )
        tasks = sample_episodes([ENV], "train", max(1, episodes // 4), 0)
        self.episodes = [
            Episode(ENV, task.task_id, sample, {"max_turns": turns})
            for task in tasks
            for sample in range(4)
        ]
        self._trajectories: list[Trajectory] = []

    def workload(self, name: str) -> Callable[[], int]:
        """Return the function that does *name* once and returns its number of tokens."""
        return {
            "rollout": self.rollout,
            "plain rollout": self.plain_rollout,
            "update": self.update,
            "plain update": self.plain_update,
            "nothing": lambda: 0,
        }[name]

    def speed(self, name: str) -> float:
        """Return the tokens per second of CPU time, the best of three runs."""
        self._sequences()
        work, best = self.workload(name), 0.0
        for _ in range(3):
            start = time.process_time()
            tokens = work()
            best = max(best, tokens / (time.process_time() - start))
        return best

    def rollout(self) -> int:
        """Play with the key-value cache kept between turns."""
        policy = NeverEnding(self.model, self.tokenizer, max_new_tokens=NEW_TOKENS)
        self._trajectories = run(
            self.episodes, policy, style=STYLE, max_concurrent=len(self.episodes)
        )
        return sum(episode.action_tokens for episode in self._trajectories)

    def plain_rollout(self) -> int:
        """Play with `PlainPolicy`."""
        policy = PlainPolicy(self.model, self.tokenizer)
        trajectories = run(self.episodes, policy, style=STYLE, max_concurrent=len(self.episodes))
        return sum(episode.action_tokens for episode in trajectories)

    def update(self) -> int:
        """Compute the gradients of all sequences, packed, with logits at sampled tokens."""
        samples = [Sample(sequence) for sequence in self._sequences()]
        for batch in pack(samples, 4096, 0):
            (-action_logp(self.model, batch).sum()).backward()
        return sum(len(sample.sequence.ids) for sample in samples)

    def plain_update(self) -> int:
        """Compute the same gradients, padded to the longest sequence, with logits everywhere."""
        import torch

        sequences = self._sequences()
        width = max(len(sequence.ids) for sequence in sequences)
        rows = max(1, 4096 // width)
        for start in range(0, len(sequences), rows):
            part = sequences[start : start + rows]
            padding = [width - len(sequence.ids) for sequence in part]
            ids = torch.tensor(
                [[*seq.ids, *[0] * pad] for seq, pad in zip(part, padding, strict=True)]
            )
            attention = torch.tensor([[1] * (width - pad) + [0] * pad for pad in padding])
            actions = torch.tensor(
                [[*seq.action_mask, *[False] * pad] for seq, pad in zip(part, padding, strict=True)]
            )
            logits = self.model(input_ids=ids, attention_mask=attention, use_cache=False).logits
            logp = logits[:, :-1].float().log_softmax(-1)
            token_logp = logp.gather(2, ids[:, 1:, None]).squeeze(2)
            (-(token_logp * actions[:, 1:]).sum()).backward()
        return sum(len(sequence.ids) for sequence in sequences)

    def _sequences(self) -> list[Any]:
        if not self._trajectories:
            self.rollout()
        return [sequence for episode in self._trajectories for sequence in episode.sequences()]


class NeverEnding(ModelPolicy):
    """Our sampler without end tokens, so that all completions have the full length."""

    def __init__(self, model: Model, tokenizer: Any, *, max_new_tokens: int) -> None:  # noqa: ANN401
        super().__init__(model, tokenizer, max_new_tokens=max_new_tokens)
        self._chat.end_ids = frozenset()


if __name__ == "__main__":
    main()
