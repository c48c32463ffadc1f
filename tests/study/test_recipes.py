"""The recipes make, train and load small models."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import DataError, InvalidValueError, UnknownNameError
from agentgym_gen.study import Stage, recipe_of
from agentgym_gen.study.results.provenance import model_hash
from agentgym_gen.study.run.recipes import PretrainedRecipe, TinyRecipe
from agentgym_gen.study.run.run import check_weights
from agentgym_gen.trainers import load_model

SOKOBAN, CRAFT = "rftgen/Sokoban-easy-v0", "rftgen/TextCraft-easy-menu-v0"
BOARD = PromptStyle("action", instruction=False, window=0, keep_first=False)
CHAT = PromptStyle("action", instruction=False)


def style_of(env_id: str) -> PromptStyle:
    """Return a different style for each environment."""
    return BOARD if "Sokoban" in env_id else CHAT


TINY: dict[str, Any] = {
    "model": {"build": "tiny", "layers": 1, "width": 16, "heads": 2, "text_episodes": 4},
    "warm_start": {"max_steps": 2, "batch_size": 4, "demonstrations": {SOKOBAN: 4, CRAFT: 2}},
    "rft": {"max_steps": 4, "tasks_per_step": 2, "num_generations": 2, "max_turns": 4},
}


def recipe(**changes: dict[str, Any]) -> TinyRecipe | PretrainedRecipe:
    """Return the small recipe with some tables changed."""
    tables = {**TINY, **changes}
    return recipe_of(tables["model"], tables["warm_start"], tables["rft"], style_of, (1.0, 8))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a base model."""
    folder = tmp_path_factory.mktemp("models") / "base"
    recipe().make_base(folder, 0, str)
    return folder


def test_a_model_is_made_trained_and_played(base: Path, tmp_path: Path) -> None:
    """A finished training has a log and no checkpoints."""
    stage = Stage("a", (SOKOBAN,))
    recipe().train(base, tmp_path / "a", stage, 0, str)
    policy = recipe().load_policy(tmp_path / "a")
    (trajectory,) = run([Episode(SOKOBAN, "sokoban/easy/test/3")], policy, style=BOARD)

    assert trajectory.action_tokens > 0
    assert (tmp_path / "a" / "log.jsonl").read_text().count("\n") == 4
    assert list((tmp_path / "a").glob("step_*")) == []


def test_a_warm_start_takes_turns_at_random_where_its_plan_says_so(base: Path) -> None:
    """Of the two environments, the episodes of the one with an epsilon are others."""
    tokenizer = load_model(str(base))[1]
    table = TINY["warm_start"]
    plain, mixed = (
        recipe(warm_start=changed)._demonstrate(tokenizer, table["demonstrations"])
        for changed in (table, {**table, "epsilon": {SOKOBAN: 1.0}})
    )

    def actions(episodes: list[Trajectory], env_id: str) -> list[list[str]]:
        return [[t.action for t in e.turns] for e in episodes if e.env_id == env_id]

    assert actions(plain, CRAFT) == actions(mixed, CRAFT) != []
    assert actions(plain, SOKOBAN) != actions(mixed, SOKOBAN) != []


def test_a_truncated_turn_is_read_in_a_test_as_in_training(base: Path) -> None:
    """A model that was trained with cut completions refused is tested with them refused."""
    actions = []
    for rule in ("act", "refuse"):
        made = recipe(rft={**TINY["rft"], "on_truncated_turn": rule})
        policy = dataclasses.replace(made, max_new_tokens=1).load_policy(base)
        (trajectory,) = run([Episode(SOKOBAN, "sokoban/easy/test/3")], policy, style=BOARD)
        assert all(turn.completion.truncated for turn in trajectory.turns)
        actions.append({turn.completion.text for turn in trajectory.turns})

    assert actions[0] != {""}
    assert actions[1] == {""}


def test_a_finished_model_is_not_made_again(base: Path) -> None:
    """No file of its folder is written."""
    times = {path: path.stat().st_mtime_ns for path in base.iterdir()}
    recipe().make_base(base, 0, str)
    recipe().train(base, base, Stage("a", (SOKOBAN,)), 0, str)

    assert {path: path.stat().st_mtime_ns for path in base.iterdir()} == times


def test_a_model_records_the_hash_of_its_weights(base: Path) -> None:
    """Weights that were put into its folder later have another one."""
    record = json.loads((base / "recipe.json").read_text())

    assert record["model_hash"] == check_weights(base) == model_hash(base)


def test_foreign_weights_in_the_folder_of_a_model_are_refused(base: Path, tmp_path: Path) -> None:
    """The error names both hashes and what to do."""
    shutil.copytree(base, tmp_path / "a")
    weights = tmp_path / "a" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(DataError, match=r"foreign weights are not tested as this model"):
        check_weights(tmp_path / "a")


def test_a_stage_gets_its_share_of_the_steps(base: Path, tmp_path: Path) -> None:
    """A stage with half a training of four steps has two."""
    recipe().train(base, tmp_path / "a", Stage("a", (SOKOBAN,), 0.5), 0, str)

    assert (tmp_path / "a" / "log.jsonl").read_text().count("\n") == 2


def test_environments_of_different_styles_are_trained_together(base: Path, tmp_path: Path) -> None:
    """Each environment keeps its own style."""
    recipe().train(base, tmp_path / "a", Stage("a", (SOKOBAN, CRAFT)), 0, str)

    assert (tmp_path / "a" / "recipe.json").is_file()


def test_a_pretrained_model_without_a_warm_start_is_its_name(base: Path, tmp_path: Path) -> None:
    """Once trained it is an adapter, and the next stage trains that adapter."""
    pytest.importorskip("peft")
    rft = {**TINY["rft"], "lora_rank": 2, "lora_alpha": 4, "max_steps": 1}
    pretrained = recipe(model={"name": str(base)}, warm_start={}, rft=rft)
    pretrained.make_base(tmp_path / "base", 0, str)
    pretrained.train(tmp_path / "base", tmp_path / "a", Stage("a", (SOKOBAN,)), 0, str)
    pretrained.train(tmp_path / "a", tmp_path / "b", Stage("b", (SOKOBAN,)), 0, str)

    assert [path.name for path in (tmp_path / "base").iterdir()] == ["recipe.json"]
    assert (tmp_path / "b" / "adapter_model.safetensors").is_file()
    assert pretrained.load_policy(tmp_path / "b")


def test_the_speed_is_measured_with_an_untrained_model() -> None:
    """The measurement gives the time of a step of the warm start, and a policy that can play."""
    policy, seconds = recipe().measure_speed()

    assert seconds > 0
    assert run([Episode(SOKOBAN, "sokoban/easy/train/3", 0, {"max_turns": 2})], policy, style=BOARD)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ({}, InvalidValueError, "A plan's model is a `name`"),
        ({"build": "huge"}, InvalidValueError, "A plan's model is a `name`"),
        ({"build": "tiny", "witdh": 3}, UnknownNameError, "did you mean 'width'"),
        ({"name": "x", "layers": 3}, UnknownNameError, "Unknown key of the model 'layers'"),
    ],
)
def test_an_invalid_model_is_an_error(
    model: dict[str, object], error: Callable[..., Exception], message: str
) -> None:
    """The error says what is accepted."""
    with pytest.raises(error, match=message):  # type: ignore[call-overload]
        recipe(model=model)
