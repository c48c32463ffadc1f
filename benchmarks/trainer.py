"""The speed and memory of the trainer against plain ways to do the same, as a Markdown table.

    python benchmarks/trainer.py [--model rftgen-tiny|smollm2] [--episodes 32] [--turns 8]

Every row is measured in one run, our way and the plain way in turn, by CPU time of the process,
which other programs hardly change. Rollouts play the same tasks of TextCraft for the same number of
turns, all with completions of the same length. The plain rollout calls ``model.generate`` on the
whole history each turn, all episodes in one padded batch. The plain update pads all sequences to
the longest and computes logits everywhere. Memory is the greatest resident size of a process that
does nothing else, less that of one that has loaded the model.
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
WAYS = ("rollout", "plain rollout", "update", "plain update", "nothing")


class PlainPolicy:
    """Generates after the whole history of each episode, anew each turn."""

    def __init__(self, model: Model, tokenizer: Any) -> None:  # noqa: ANN401
        self._model, self._chat = model, ChatFormat(tokenizer)

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*."""
        import torch

        prompts = [self._chat.opening(request.messages) for request in requests]
        width, pad = max(map(len, prompts)), self._chat.pad_id
        ids = torch.tensor([[pad] * (width - len(one)) + one for one in prompts])
        live = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in prompts])
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=ids,
                attention_mask=live,
                do_sample=True,
                top_k=0,
                max_new_tokens=NEW_TOKENS,
                min_new_tokens=NEW_TOKENS,
                pad_token_id=pad,
            )
        said = out[:, width:].tolist()
        return [Completion(self._chat.text(one), action_ids=tuple(one)) for one in said]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="rftgen-tiny", help="a name that RFTTrainer takes")
    parser.add_argument("--episodes", type=int, default=32, help="how many are live at once")
    parser.add_argument("--turns", type=int, default=8, help="how many turns each has")
    parser.add_argument("--only", choices=WAYS, help="one way, whose memory is printed as JSON")
    options = parser.parse_args()
    if options.only:
        Bench(options.model, options.episodes, options.turns).way(options.only)()
        print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10))
        return
    # first of all: a process begins its record with what its parent had
    used = {way: memory(way) for way in WAYS}
    bench = Bench(options.model, options.episodes, options.turns)
    print(f"{options.model}: {options.episodes} episodes of {options.turns} turns\n")
    print("| what | ours, tokens/s | plain, tokens/s | ratio | ours, MB | plain, MB |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in ("rollout", "update"):
        ours, plain = bench.speed(name), bench.speed(f"plain {name}")
        more = [used[way] - used["nothing"] for way in (name, f"plain {name}")]
        print(
            f"| {name} | {ours:,.0f} | {plain:,.0f} | {ours / plain:.1f} "
            f"| {more[0]:,.0f} | {more[1]:,.0f} |",
            flush=True,
        )


def memory(way: str) -> float:
    """Return the greatest resident size, in MB, of a process that only goes one *way*."""
    command = [sys.executable, *sys.argv, "--only", way]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


class Bench:
    """A model and the tasks that it plays.

    Args:
        name: The name of the model.
        episodes: How many episodes are live at once, four of each task.
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
        self._played: list[Trajectory] = []

    def way(self, name: str) -> Callable[[], int]:
        """Return what does *name* once, and how many tokens it made or learnt from."""
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
        work, best = self.way(name), 0.0
        for _ in range(3):
            began = time.process_time()
            tokens = work()
            best = max(best, tokens / (time.process_time() - began))
        return best

    def rollout(self) -> int:
        """Play with the key-value cache kept between turns."""
        policy = NeverEnding(self.model, self.tokenizer, max_new_tokens=NEW_TOKENS)
        self._played = run(self.episodes, policy, style=STYLE, slots=len(self.episodes))
        return sum(one.action_tokens for one in self._played)

    def plain_rollout(self) -> int:
        """Play with `PlainPolicy`."""
        policy = PlainPolicy(self.model, self.tokenizer)
        played = run(self.episodes, policy, style=STYLE, slots=len(self.episodes))
        return sum(one.action_tokens for one in played)

    def update(self) -> int:
        """Compute the gradients of all sequences, packed, with logits at sampled tokens."""
        samples = [Sample(sequence) for sequence in self._sequences()]
        for batch in pack(samples, 4096, 0):
            (-action_logp(self.model, batch).sum()).backward()
        return sum(len(one.sequence.ids) for one in samples)

    def plain_update(self) -> int:
        """Compute them in the order of play, padded to the longest, with logits everywhere."""
        import torch

        sequences = self._sequences()
        width = max(len(one.ids) for one in sequences)
        rows = max(1, 4096 // width)
        for start in range(0, len(sequences), rows):
            part = sequences[start : start + rows]
            ids = torch.tensor([[*one.ids, *[0] * (width - len(one.ids))] for one in part])
            live = torch.tensor([[1] * len(one.ids) + [0] * (width - len(one.ids)) for one in part])
            mask = torch.tensor(
                [[*one.action_mask, *[False] * (width - len(one.ids))] for one in part]
            )
            logits = self.model(input_ids=ids, attention_mask=live, use_cache=False).logits
            logp = logits[:, :-1].float().log_softmax(-1)
            chosen = logp.gather(2, ids[:, 1:, None]).squeeze(2)
            (-(chosen * mask[:, 1:]).sum()).backward()
        return sum(len(one.ids) for one in sequences)

    def _sequences(self) -> list[Any]:
        if not self._played:
            self.rollout()
        return [sequence for one in self._played for sequence in one.sequences()]


class NeverEnding(ModelPolicy):
    """Our sampler, whose completions all have the full length, as those of the plain loop."""

    def __init__(self, model: Model, tokenizer: Any, *, max_new_tokens: int) -> None:  # noqa: ANN401
        super().__init__(model, tokenizer, max_new_tokens=max_new_tokens)
        self._chat.end_ids = frozenset()


if __name__ == "__main__":
    main()
