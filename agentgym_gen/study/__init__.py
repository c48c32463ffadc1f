"""The study: plan, run, analysis and report of how far training carries over.

What lives here: `Study`, the whole as one object, over subpackages that import downwards only:
``run`` and ``report`` use ``analysis``, that uses ``results``, and that uses ``plan``. What does
not: environments and trainers, which a study knows by id and by its recipes.
"""

from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.plan.parser import load_plan, parse_plan, preset_names, preset_text
from agentgym_gen.study.plan.plan import Arm, Cell, EnvironmentPlan, Plan, Stage, TestPlan
from agentgym_gen.study.run.recipes import TrainingRecipe, recipe_of
from agentgym_gen.study.run.run import run_plan
from agentgym_gen.study.study import Study

__all__ = [
    "Arm",
    "Cell",
    "EnvironmentPlan",
    "Estimate",
    "Plan",
    "Results",
    "Stage",
    "Study",
    "TestPlan",
    "TrainingRecipe",
    "load_plan",
    "parse_plan",
    "preset_names",
    "preset_text",
    "recipe_of",
    "run_plan",
]
