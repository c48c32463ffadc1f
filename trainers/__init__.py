"""The trainers, installed as ``agentgym_gen.trainers``; the only place that imports torch.

Importing this package imports no torch: a name is loaded from its module when it is first used.
"""

import importlib
import os
from typing import TYPE_CHECKING

from agentgym_gen.errors import missing_extra

if __name__ != "agentgym_gen.trainers":
    raise ModuleNotFoundError(
        f"this folder is the package 'agentgym_gen.trainers', but was imported as {__name__!r}; "
        "import agentgym_gen.trainers instead"
    )

if TYPE_CHECKING:
    from agentgym_gen.trainers.config import RFTConfig, SFTConfig
    from agentgym_gen.trainers.demos import demonstrations
    from agentgym_gen.trainers.model import load_model
    from agentgym_gen.trainers.remote import VLLMSampler
    from agentgym_gen.trainers.rft import RFTTrainer
    from agentgym_gen.trainers.sampler import ModelPolicy
    from agentgym_gen.trainers.sft import SFTTrainer
    from agentgym_gen.trainers.tiny import TinySize, build_tiny

_HOMES = {
    "ModelPolicy": "sampler",
    "RFTConfig": "config",
    "RFTTrainer": "rft",
    "SFTConfig": "config",
    "SFTTrainer": "sft",
    "TinySize": "tiny",
    "VLLMSampler": "remote",
    "build_tiny": "tiny",
    "demonstrations": "demos",
    "load_model": "model",
}

__all__ = [
    "ModelPolicy",
    "RFTConfig",
    "RFTTrainer",
    "SFTConfig",
    "SFTTrainer",
    "TinySize",
    "VLLMSampler",
    "build_tiny",
    "demonstrations",
    "load_model",
]


def __getattr__(name: str) -> object:
    """Return the public *name*, importing its module now."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Threads of OpenMP that wait for work by spinning take the cores away from everybody else; the
    # variable is read once, when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        module = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in _PACKAGES:
            raise
        raise missing_extra(error.name, "train", "Training") from error
    return getattr(module, name)


_PACKAGES = ("torch", "transformers", "peft", "tokenizers", "safetensors")
