"""The trainers, installed as ``agentgym_gen.trainers``; the only package that imports torch.

At the top: supervised and reinforcement fine-tuning (`sft`, `rft`), their settings (`config`), and
what both share (`loop`, `learner`, `checkpoint`, `log_file`, `callbacks`, `demos`, `metrics`).
Below: `models`, `sampling`, `packing`, `algorithm`, `parallel`, `logging`. Environments and studies
do not live here.

Importing this package imports no torch: a name is loaded from its module when it is first used.
"""

import importlib
import os
from traceback import walk_tb
from typing import TYPE_CHECKING

from agentgym_gen.errors import missing_extra

if __name__ != "agentgym_gen.trainers":
    raise ModuleNotFoundError(
        f"this folder is the package 'agentgym_gen.trainers', but was imported as {__name__!r}; "
        "import agentgym_gen.trainers instead"
    )

if TYPE_CHECKING:
    from agentgym_gen.trainers.config import RFTConfig, SFTConfig, TinySize
    from agentgym_gen.trainers.demos import demonstrations
    from agentgym_gen.trainers.logging.trajectories import TrajectoryCallback
    from agentgym_gen.trainers.models.gguf_export import export_gguf
    from agentgym_gen.trainers.models.loading import load_model
    from agentgym_gen.trainers.models.tiny import build_tiny
    from agentgym_gen.trainers.rft import RFTTrainer
    from agentgym_gen.trainers.sampling.model_policy import ModelPolicy
    from agentgym_gen.trainers.sampling.vllm_sampler import VLLMSampler
    from agentgym_gen.trainers.sft import SFTTrainer

_HOMES = {
    "ModelPolicy": "sampling.model_policy",
    "RFTConfig": "config",
    "RFTTrainer": "rft",
    "SFTConfig": "config",
    "SFTTrainer": "sft",
    "TinySize": "config",
    "TrajectoryCallback": "logging.trajectories",
    "VLLMSampler": "sampling.vllm_sampler",
    "build_tiny": "models.tiny",
    "demonstrations": "demos",
    "export_gguf": "models.gguf_export",
    "load_model": "models.loading",
}

__all__ = [
    "ModelPolicy",
    "RFTConfig",
    "RFTTrainer",
    "SFTConfig",
    "SFTTrainer",
    "TinySize",
    "TrajectoryCallback",
    "VLLMSampler",
    "build_tiny",
    "demonstrations",
    "export_gguf",
    "load_model",
]


def __getattr__(name: str) -> object:
    """Return the public *name*, importing its module now."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # OpenMP threads that wait by spinning take the cores away from other programs. The variable is
    # read once, when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        module = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    except ImportError as error:
        package = _package_of(error)
        if package is None:
            raise
        raise missing_extra(package, "train", "A model in memory", error) from error
    return getattr(module, name)


def _package_of(error: ImportError) -> str | None:
    """Return the package of the extra ``train`` that cannot be imported, or None if it is none.

    It may be installed, and import what is not there: the first one on the way is at fault.
    """
    modules = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    tops = [str(module).partition(".")[0] for module in (*modules, error.name or "")]
    return next((top for top in tops if top in _PACKAGES), None)


def __dir__() -> list[str]:
    """Return the public names, also those that are not loaded yet."""
    return list(__all__)


_PACKAGES = ("torch", "transformers", "peft", "tokenizers", "safetensors")
