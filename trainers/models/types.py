"""The types of the objects that come from transformers and pass through."""

from typing import Any, TypeAlias

Model: TypeAlias = Any
"""A causal language model of transformers, inside an adapter of PEFT or not: no type has both."""

Tokenizer: TypeAlias = Any
"""A tokenizer of transformers."""
