"""What is said of a training that changed nothing."""

from agentgym_gen.study import Stage
from agentgym_gen.study.plan.plan import ModelId
from agentgym_gen.study.results.rows import Row
from agentgym_gen.study.results.training import (
    NO_UPDATE,
    models_with_cells,
    unchanged_models,
    untrained_arms,
)

A, B = Stage("a", ("rftgen/Sokoban-easy-v0",)), Stage("b", ("rftgen/TextCraft-easy-v0",))
MODELS = [ModelId(stages, seed) for seed in (0, 1) for stages in ((), (A,), (A, B))]

IDLE = [{"step": 1, "groups": 4, "zero_variance_groups": 4}]
UPDATED = [*IDLE, {"step": 2, "groups": 4, "zero_variance_groups": 3, "loss": 0.1}]


def cells(**hashes: str) -> list[Row]:
    """Return the rows of cells of models, named ``arm_seed``, with their hashes."""
    names = {"base": "base", "a": "a", "ab": "a_then_b"}
    return [
        {"arm": names[name[:-1]], "seed": int(name[-1]), "model_hash": model_hash}
        for name, model_hash in hashes.items()
    ]


def test_a_log_without_an_update_is_an_unchanged_model() -> None:
    """One step with an update is enough, and so is a log that counts no groups."""
    logs = {"a.s0": IDLE, "a.s1": UPDATED, "a_then_b.s0": [{"step": 1, "success": 0.5}]}

    assert unchanged_models(MODELS, [], logs) == {"a.s0": NO_UPDATE}


def test_a_hash_equal_to_the_parents_is_an_unchanged_model() -> None:
    """The reason names the parent; hashes of models that were never written are not equal."""
    rows = cells(base0="x", a0="x", ab0="y", base1="x", a1="y", ab1="y")

    assert unchanged_models(MODELS, rows, {}) == {
        "a.s0": "no update: its weights are those of base.s0",
        "a_then_b.s1": "no update: its weights are those of a.s1",
    }
    assert unchanged_models(MODELS, [{**row, "model_hash": None} for row in rows], {}) == {}


def test_an_arm_is_untrained_if_none_of_its_seeds_was_trained_by_each_stage() -> None:
    """A seed that learned keeps the arm; a sequence needs all of its stages."""
    base = "r, so that the arm is its base"
    part = "the last stage of a.s0 made no update, so that the arm was trained on a part only"

    assert untrained_arms(MODELS, {"a.s0": "r"}) == {}
    assert untrained_arms(MODELS, {"a.s0": "r", "a.s1": "r"}) == {"a": base, "a_then_b": part}
    assert untrained_arms(MODELS, {"a.s0": "r", "a_then_b.s1": "q"}) == {"a_then_b": part}
    every = dict.fromkeys(("a.s0", "a.s1", "a_then_b.s0", "a_then_b.s1"), "r")
    assert untrained_arms(MODELS, every) == {"a": base, "a_then_b": base}


def test_a_seed_that_was_not_tested_does_not_make_its_arm_a_trained_one() -> None:
    """Of two seeds one made no update and the other failed, or is still to come."""
    tested = models_with_cells(MODELS, cells(base0="x", a0="x", base1="x"))

    assert [model.name for model in tested] == ["base.s0", "a.s0", "base.s1"]
    assert list(untrained_arms(tested, {"a.s0": "r"})) == ["a"]
