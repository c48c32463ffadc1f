"""From the plan in a results folder back to a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import DataError
from agentgym_gen.study.plan import ROW_SCHEMA, Arm, EnvironmentPlan, Plan, Stage, TestPlan


def plan_of_dict(told: Mapping[str, Any]) -> Plan:
    """Return the plan that `Plan.as_dict` told.

    Raises:
        DataError: if it is of another version.
    """
    if told.get("row_schema") != ROW_SCHEMA:
        raise DataError(
            f"The study was made with rows of schema {told.get('row_schema')!r}, and this version "
            f"reads schema {ROW_SCHEMA}; report it with the version that made it"
        )
    try:
        return Plan(
            name=told["name"],
            arms=tuple(_arm(arm) for arm in told["arms"]),
            seeds=tuple(told["seeds"]),
            test=TestPlan(**told["test"]),
            environments={
                name: EnvironmentPlan(**{**given, "style": PromptStyle(**given["style"])})
                for name, given in told["environments"].items()
            },
            model=told["model"],
            warm_start=told["warm_start"],
            rft=told["rft"],
            about=told["about"],
            modules=tuple(told["modules"]),
        )
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"The plan of this study cannot be read: {error!r}") from error


def _arm(told: Mapping[str, Any]) -> Arm:
    stages = tuple(Stage(s["name"], tuple(s["env_ids"]), s["share"]) for s in told["stages"])
    return Arm(told["family"], stages, tuple(told["columns"]), told["every_stage"])
