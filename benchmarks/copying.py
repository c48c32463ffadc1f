"""Whether a tiny model learns to copy a name that it has never seen, by the scale of its weights.

    python benchmarks/copying.py [--updates 400] [--seeds 3]

A sequence is 55 random tokens, in which a mark stands before a name of four, and another mark,
after which the name is to be repeated. To copy a new name is what acting in text asks of a model:
it repeats words of the goal, of the observation and of a list. The loss of the name is printed
after every hundred updates; a guess costs 5.5.
"""

from __future__ import annotations

import argparse
import string

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from agentgym_gen.trainers import TinySize, build_tiny

SCALES = (0.0, 0.05)
"""Values of `TinySize.initializer_range`; 0 is one over the root of the width, 0.125."""

SIZE = TinySize(layers=3, width=64, heads=4, vocabulary=300)
BATCH, LENGTH, NAME = 64, 60, 4
FIRST_MARK, SECOND_MARK, FIRST_WORD = 4, 5, 6
"""Token ids: those before are the tokenizer's own marks."""


def main() -> None:
    """Print the losses of every scale and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for scale in SCALES:
        for seed in range(options.seeds):
            losses = losses_of(scale, seed, options.updates)
            label = f"{scale or SIZE.width**-0.5:.3f}"
            print(
                f"{label}, seed {seed}: {', '.join(f'{loss:.2f}' for loss in losses)}", flush=True
            )


def losses_of(scale: float, seed: int, updates: int) -> list[float]:
    """Return the loss after every hundredth of *updates*, with weights of *scale*."""
    size = TinySize(SIZE.layers, SIZE.width, SIZE.heads, SIZE.vocabulary, initializer_range=scale)
    model, _ = build_tiny([string.printable], seed, size)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.99), weight_decay=0.0)
    generator = torch.Generator().manual_seed(seed)
    losses = []
    for update in range(1, updates + 1):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, update / 20)
        ids = sequences(generator, model.config.vocab_size)
        logits = model(input_ids=ids).logits[:, LENGTH - NAME - 1 : -1]
        loss = cross_entropy(logits.flatten(0, 1), ids[:, LENGTH - NAME :].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if update % 100 == 0:
            losses.append(loss.item())
    return losses


def sequences(generator: torch.Generator, vocabulary: int) -> Tensor:
    """Return a batch of token sequences, each with a name that is repeated at its end."""
    ids = torch.randint(FIRST_WORD, vocabulary, (BATCH, LENGTH), generator=generator)
    places = torch.randint(1, LENGTH - NAME - 12, (BATCH,), generator=generator)
    for row, place in enumerate(places.tolist()):
        ids[row, place] = FIRST_MARK
        ids[row, LENGTH - NAME - 1] = SECOND_MARK
        ids[row, LENGTH - NAME :] = ids[row, place + 1 : place + 1 + NAME]
    return ids


if __name__ == "__main__":
    main()
