"""The types of models and tokenizers."""

from __future__ import annotations

from typing import Any, TypeAlias

Model: TypeAlias = Any
"""A causal language model of transformers, inside an adapter of PEFT or not; the two libraries have
no type in common."""

Tokenizer: TypeAlias = Any
"""A tokenizer of transformers."""
