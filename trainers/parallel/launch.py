"""Starts several processes that do one training together, by torch's launcher."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from agentgym_gen.errors import TrainingError
from agentgym_gen.system.processors import usable_processors
from agentgym_gen.system.python_process import module_command

__all__ = ["launch"]


def launch(arguments: Sequence[str], processes: int) -> None:
    """Run ``agentgym-gen`` with *arguments* in so many processes of this machine.

    Args:
        arguments: The arguments of the command.
        processes: How many processes are started; on a machine with GPUs, one for each.

    Raises:
        TrainingError: if one of them fails, which ends the others.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_processors() // processes)))
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the error says it
    machine = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        max_restarts=0,
        run_id="agentgym-gen",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
    )
    python, *rest = module_command("agentgym_gen", *arguments)
    try:
        elastic_launch(machine, python)(*rest)
    except SignalException as error:
        # The launcher has ended the processes; the command ends as it does without them.
        if error.sigval == signal.SIGINT:
            raise KeyboardInterrupt from None
        sys.exit(128 + error.sigval)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        code = failure.exitcode
        end = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise TrainingError(
            f"Process {rank} of {processes} ended with {end}; what it said is above, and the same "
            "command goes on from the last checkpoint"
        ) from error
