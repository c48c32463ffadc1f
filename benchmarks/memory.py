"""How far the memory estimate of `agentgym-gen train --dry-run` is from the peak on a CPU.

    python benchmarks/memory.py [tiny | qwen2 ...]

Each training runs in a process of its own: two steps with every episode at its turn limit, because
a model with random weights does not solve anything. The peak is the largest resident set of that
process, the libraries included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ENV = "rftgen/TextCraft-easy-v0"

COMMON = """
envs = ["rftgen/TextCraft-easy-v0"]
[style]
format = "action"
[rft]
max_steps = 2
tasks_per_step = {tasks}
num_generations = 8
max_new_tokens = 16
max_turns = {turns}
micro_batch_tokens = {tokens}
learning_rate = 1e-5
invalid_penalty = 0.1
gradient_checkpointing = {checkpointing}
lora_rank = {rank}
[model]
"""

CASES: dict[str, dict[str, Any]] = {
    "tiny, all weights": {"model": "tiny", "rank": 0},
    "tiny, windowed turns": {"model": "tiny", "rank": 0, "window": 0},
    "qwen2, adapter": {"model": "qwen2", "rank": 16},
    "qwen2, all weights": {"model": "qwen2", "rank": 0},
    "qwen2, adapter, checkpointing": {"model": "qwen2", "rank": 16, "checkpointing": "true"},
}


def write_qwen2(folder: Path, width: int = 512, layers: int = 8, words: int = 8192) -> None:
    """Write a model of Qwen2's shape with random weights, and a tokenizer of our texts."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from agentgym_gen.agents.prompt import PromptStyle
    from agentgym_gen.trainers import TinySize, build_tiny
    from agentgym_gen.trainers.demos import expert_texts

    texts = expert_texts([ENV], PromptStyle("action"), number=50)
    _, tokenizer = build_tiny(texts, 0, TinySize(1, 16, 2, 512, 512))
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=11 * width // 4,
        num_hidden_layers=layers,
        num_attention_heads=8,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def measure(case: dict[str, Any], folder: Path) -> dict[str, float]:
    """Return the estimate and the peak of one training, in MB; it runs in this process."""
    import resource

    from agentgym_gen.training import load_training_plan, run_training

    name = "tiny"
    if case["model"] == "qwen2":
        write_qwen2(folder / "qwen2")
        name = str(folder / "qwen2")
    settings = {"tasks": 4, "turns": 8, "tokens": 4096, "checkpointing": "false", **case}
    text = COMMON.format(**settings) + f"name = {json.dumps(name)}\n"
    if "window" in case:
        text = text.replace("[rft]", f"window = {case['window']}\n[rft]")
    path = folder / "train.toml"
    path.write_text(text, encoding="utf-8")
    plan = load_training_plan(path)
    child = [sys.executable, __file__, "--estimate", str(path)]
    estimate = json.loads(subprocess.run(child, capture_output=True, check=True).stdout)
    run_training(plan, folder / "out", lambda _: None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**estimate, "measured": peak}


def main() -> None:
    """Print a table with a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="the beginning of the names of cases")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--estimate", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.estimate:
        from agentgym_gen.training import dry_run, load_training_plan

        estimate = dry_run(load_training_plan(options.estimate)).trainings[-1].estimate
        print(json.dumps({"likely": estimate.likely / 2**20, "most": estimate.most / 2**20}))
        return
    if options.case:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(CASES[options.case], Path(folder))))
        return
    print("| training | likely, MB | at most, MB | measured, MB | likely / measured |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in CASES:
        if options.only and not any(name.startswith(start) for start in options.only):
            continue
        child = [sys.executable, __file__, "--case", name]
        done = subprocess.run(child, capture_output=True, check=True, text=True)
        row = json.loads(done.stdout.splitlines()[-1])
        ratio = row["likely"] / row["measured"]
        print(
            f"| {name} | {row['likely']:,.0f} | {row['most']:,.0f} | {row['measured']:,.0f} "
            f"| {ratio:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
