"""The keys of every file of a results folder: their types, and the range of each number.

It needs pydantic, and is imported by functions only. A key that is not here is let through: a
version that adds one has the same schema.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from typing_extensions import TypedDict

from agentgym_gen.errors import missing_extra

try:
    from pydantic import ConfigDict, Field, with_config
except ImportError as error:
    raise missing_extra("pydantic", "study", "To read results") from error

__all__ = [
    "CellRow",
    "ColumnFile",
    "DistancesFile",
    "EpisodeRow",
    "FailureFile",
    "LogRow",
    "PlanFile",
    "RecipeFile",
    "TranscriptRow",
]

CONFIG = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)
LOG_CONFIG = ConfigDict(strict=True, extra="allow")
"""That of a training log, which has NaN for a number that does not exist."""

Count = Annotated[int, Field(ge=0, le=10**12)]
Share = Annotated[float, Field(ge=0, le=1)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Name = Annotated[str, Field(min_length=1)]
Schema = Literal[2, 3]
"""`agentgym_gen.study.plan.plan.READABLE_SCHEMAS`."""

EndReason = Literal[
    "success", "failure", "turn_limit", "backend_error", "context_limit", "policy_error"
]
"""The values of `agentgym_gen.world.EndReason`."""

Mode = Literal[
    "repeats_failed", "stops_early", "unseen_object", "invalid_format", "loops", "wanders"
]
"""`agentgym_gen.study.results.failures.MODES`."""


@with_config(CONFIG)
class EpisodeRow(TypedDict):
    """A line of ``episodes.jsonl``."""

    schema: Schema
    cell: Name
    arm: Name
    seed: Count
    column: Name
    task_id: Name
    sample: Count
    interface: str
    success: bool
    score: Share
    reward: float
    turns: Count
    invalid_turns: Count
    truncated_turns: NotRequired[Count]
    lenient_turns: NotRequired[Count]
    action_tokens: Count
    observation_chars: Count
    end_reason: EndReason
    failures: list[Mode]


@with_config(CONFIG)
class Decoding(TypedDict):
    """The key ``decoding`` of a cell."""

    temperature: Annotated[float, Field(ge=0)]
    max_new_tokens: Count
    max_turns: Count | None


@with_config(CONFIG)
class CellRow(TypedDict):
    """``cell.json``."""

    schema: Schema
    cell: Name
    arm: Name
    seed: Count
    column: Name
    env_id: Name
    env_version: Count
    interface: str
    data_hash: Hash
    prompt_hash: Hash
    model_hash: Hash | None
    stages: list[list[str]]
    split: Name
    samples: Annotated[int, Field(ge=1, le=10**12)]
    decoding: Decoding
    plan: Hash
    failure_rules: Count
    seconds: Annotated[float, Field(ge=0)]
    python: str
    platform: str
    versions: dict[str, str | None]
    commit: str | None
    episodes: Count
    tasks: Count
    successes: Count
    truncated_rate: NotRequired[Share]
    files: NotRequired[dict[str, str]]


@with_config(CONFIG)
class TranscriptTurn(TypedDict):
    """A turn of a transcript."""

    observation: str
    completion: str
    action: str
    reward: float
    valid: bool
    lenient: NotRequired[bool]
    truncated: NotRequired[bool]


@with_config(CONFIG)
class TranscriptRow(TypedDict):
    """A line of ``transcripts.jsonl.gz``."""

    task_id: Name
    sample: Count
    success: bool
    end_reason: EndReason
    error: NotRequired[str]
    turns: list[TranscriptTurn]
    last_observation: str


@with_config(LOG_CONFIG)
class LogRow(TypedDict):
    """A line of ``log.jsonl``: what the study reads of it; the trainer writes more."""

    step: Count
    success: NotRequired[float]
    episodes: NotRequired[Count]


@with_config(CONFIG)
class FailureFile(TypedDict):
    """``failure.json``."""

    job: str
    error: str
    traceback: str
    time: float


@with_config(CONFIG)
class ColumnFile(TypedDict):
    """``columns/<column>.json``."""

    env_id: Name
    env_version: Count
    interface: str
    data_hash: Hash
    prompt_hash: Hash
    task_ids: Annotated[list[Name], Field(min_length=1)]


@with_config(CONFIG)
class DistanceRow(TypedDict):
    """A distance between two interfaces."""

    column: Name
    interface: str
    distance: Share


@with_config(CONFIG)
class DistancesFile(TypedDict):
    """``distances.json``."""

    distances: list[DistanceRow]


@with_config(CONFIG)
class RecipeFile(TypedDict):
    """``recipe.json`` of a model: what the study reads of it; a recipe writes more."""

    model_hash: NotRequired[Hash | None]


@with_config(CONFIG)
class StageRecord(TypedDict):
    """A stage of an arm of a plan."""

    name: Name
    env_ids: list[Name]
    share: float


@with_config(CONFIG)
class ArmRecord(TypedDict):
    """An arm of a plan."""

    family: str
    stages: list[StageRecord]
    columns: list[Name]
    every_stage: bool


@with_config(CONFIG)
class StyleRecord(TypedDict):
    """The prompt style of an environment of a plan."""

    format: str
    instruction: bool
    window: int | None
    keep_first: bool


@with_config(CONFIG)
class EnvironmentRecord(TypedDict):
    """An environment of a plan."""

    tier: str
    interface: str
    version: Count
    lists: str
    options: NotRequired[dict[str, str | int | bool]]
    style: StyleRecord
    rft: dict[str, Any]


@with_config(CONFIG)
class TestRecord(TypedDict):
    """The table ``test`` of a plan."""

    tasks: Count
    samples: Count
    split: str
    temperature: float
    max_new_tokens: Count
    max_turns: Count | None
    all_columns: bool


@with_config(CONFIG)
class PlanRecord(TypedDict):
    """The plan in ``plan.json``; `Plan.from_dict` checks what its values say."""

    name: Name
    arms: list[ArmRecord]
    seeds: list[int]
    test: TestRecord
    environments: dict[str, EnvironmentRecord]
    model: dict[str, Any]
    warm_start: dict[str, Any]
    rft: dict[str, Any]
    about: str
    modules: list[str]
    row_schema: int


@with_config(CONFIG)
class PlanFile(TypedDict):
    """``plan.json``."""

    key: Hash
    plan: PlanRecord
