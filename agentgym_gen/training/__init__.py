"""A training that is described by a file: ``agentgym-gen train CONFIG.toml``.

What lives here: the training plan, its file, the run of a warm start and of reinforcement
fine-tuning into one folder, and the dry run. What does not: the trainers
(`agentgym_gen.trainers`), whose settings the file has, and studies (`agentgym_gen.study`).
"""

from agentgym_gen.training.dry_run import DryRun, dry_run
from agentgym_gen.training.parser import load_training_plan, parse_training_plan
from agentgym_gen.training.plan import TrainingPlan
from agentgym_gen.training.run import run_training

__all__ = [
    "DryRun",
    "TrainingPlan",
    "dry_run",
    "load_training_plan",
    "parse_training_plan",
    "run_training",
]
