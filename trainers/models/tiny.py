"""A language model small enough to learn in minutes on one core, built from texts, offline.

It is a Llama of about a million parameters with random weights and a byte-level vocabulary made
from the texts. It is saved and loaded as any other model of transformers.
"""

from __future__ import annotations

from collections.abc import Iterable

import tokenizers
import torch
from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.config import TinySize
from agentgym_gen.trainers.models.types import Model, Tokenizer

__all__ = [
    "PIECES",
    "TEMPLATE",
    "build_tiny",
    "build_tokenizer",
]

PAD, USER, ASSISTANT, END = "<|pad|>", "<|user|>", "<|assistant|>", "<|end|>"

TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}<|end|>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""The chat template; a chat that continues only appends to it."""

PIECES = Regex(r" ?[a-z]+| ?[A-Z][a-z]+|[\s\S]")
"""What may become one token: a word with the space before it, or a single character.

Digits, punctuation and single capitals never merge; so each symbol of a grid is one token.
"""


def build_tiny(
    texts: Iterable[str], seed: int = 0, size: TinySize | None = None
) -> tuple[Model, Tokenizer]:
    """Return a model with random weights and its tokenizer, the same for the same arguments.

    Args:
        texts: The texts that the vocabulary is made from; of the training split only.
        seed: The root of the weights.
        size: The size; None is that of `TinySize` by default.

    Raises:
        InvalidValueError: if there is no text.
    """
    size = size or TinySize()
    tokenizer = build_tokenizer(list(texts), size.vocabulary)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=size.width,
        intermediate_size=size.width * 8 // 3 // 32 * 32,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=size.context,
        tie_word_embeddings=True,
        # the defaults are for models 30 times as wide and contexts 100 times as long
        initializer_range=size.initializer_range or size.width**-0.5,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    # transformers draws the weights from the global generator, which is restored afterwards
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.train(mode=False)
    return model, tokenizer


def build_tokenizer(texts: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer whose merges are learned from *texts*.

    Raises:
        InvalidValueError: if there is no text.
    """
    if not any(texts):
        raise InvalidValueError("A tokenizer is made from texts, but there are none")
    core = tokenizers.Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(PIECES, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(
        texts,
        BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[PAD, END, USER, ASSISTANT],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    # each is one token, where bytes alone would be several
    non_ascii = sorted({character for text in texts for character in text if ord(character) > 127})
    core.add_tokens([AddedToken(character, normalized=False) for character in non_ascii])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=core,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT],
        chat_template=TEMPLATE,
        clean_up_tokenization_spaces=False,
    )
