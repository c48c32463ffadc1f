"""The quick recipe, with its settings made small."""

from dataclasses import replace
from pathlib import Path

import pytest

from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.rollout import Episode, run
from agentgym_gen.study import Arm
from agentgym_gen.trainers.recipes import QUICK, load_recipe
from agentgym_gen.trainers.tiny import TinySize

SOKOBAN = "rftgen/Sokoban-easy-v0"
SMALL = replace(
    QUICK,
    size=TinySize(layers=1, width=16, heads=2, vocabulary=300, context=512),
    text_episodes=4,
    demonstrations={SOKOBAN: 6},
    warm_start=replace(QUICK.warm_start, max_steps=2, batch_size=4),
    rft=replace(QUICK.rft, max_steps=2, tasks_per_step=2, num_generations=2, max_turns=4),
)


def test_a_model_is_made_trained_and_played(tmp_path: Path) -> None:
    """And made only once: what is there whole is left alone."""
    base, trained, arm = tmp_path / "base", tmp_path / "trained", Arm("a", (SOKOBAN,))
    for _ in range(2):
        SMALL.make_base(base, 0, str)
        SMALL.train(base, trained, arm, 0, str)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("recipe.json")}
    SMALL.train(base, trained, arm, 0, str)
    task = "sokoban/easy/test/3"
    (played,) = run(
        [Episode(SOKOBAN, task)], SMALL.load_policy(trained), style=SMALL.style_of(SOKOBAN)
    )

    assert len(times) == 2
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert played.action_tokens > 0
    assert (trained / "log.jsonl").read_text().count("\n") == 2


def test_one_training_has_one_style(tmp_path: Path) -> None:
    """Environments that are put to the model differently are not mixed."""
    SMALL.make_base(tmp_path / "base", 0, str)
    arm = Arm("both", (SOKOBAN, "rftgen/TextCraft-easy-v0"))
    with pytest.raises(InvalidValueError, match="in different styles"):
        SMALL.train(tmp_path / "base", tmp_path / "x", arm, 0, str)


def test_an_unknown_recipe_or_environment_is_named() -> None:
    """With what is known."""
    with pytest.raises(UnknownNameError, match="did you mean 'quick'"):
        load_recipe("quik")
    with pytest.raises(UnknownNameError, match="Unknown environment of the recipe 'Chess'"):
        QUICK.style_of("rftgen/Chess-easy-v0")
