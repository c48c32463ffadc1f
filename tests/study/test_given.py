"""Models that were trained elsewhere, as arms of a study."""

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
from pretend_study import SMALL, PretendRecipe

from agentgym_gen.agents.policy import Completion, ExpertPolicy, Request
from agentgym_gen.errors import BackendError, DataError, InvalidValueError
from agentgym_gen.study import Plan, Study, parse_plan, run_plan
from agentgym_gen.study.plan.given import GivenModel
from agentgym_gen.study.plan.plan import ModelId, Stage
from agentgym_gen.study.report.replication import make_replication
from agentgym_gen.study.report.report import make_report
from agentgym_gen.study.results.rows import read_cells
from agentgym_gen.study.run.cost import count_cost
from agentgym_gen.study.run.given import open_given, record_given

EASY, MEDIUM = "rftgen/Sokoban-easy-v0", "rftgen/Sokoban-medium-v0"

GIVEN = f"""
[[given]]
name = "elsewhere"
path = "expert"
trained_on = ["{EASY}"]
"""


def given_plan(text: str = GIVEN) -> Plan:
    """Return the small plan with a given model."""
    return parse_plan(SMALL + text)


def test_a_given_model_is_an_arm_on_every_column() -> None:
    """It is of the family cross, is held in where it was trained, and is one training."""
    plan = given_plan()
    (arm,) = [arm for arm in plan.arms if arm.name == "elsewhere"]

    assert arm.family == "cross"
    assert set(arm.columns) == set(plan.columns)
    assert [model.seed for model in plan.models if model.arm == "elsewhere"] == [0]


def test_where_nothing_is_trained_the_columns_are_the_environments() -> None:
    """A plan of given models alone tests what is held out, too."""
    environments = "".join(f"[environments.{name}]\n" for name in ("Sokoban", "BabyAI"))
    plan = parse_plan(f'name = "given"\n[model]\nname = "base"\n{environments}{GIVEN}')
    named = parse_plan(
        f'name = "given"\n[model]\nname = "base"\n{environments}{GIVEN}test = ["{MEDIUM}"]\n'
    )

    assert plan.columns == (EASY, "rftgen/BabyAI-easy-v0")
    assert named.columns == (EASY, MEDIUM)


def test_a_given_model_may_have_a_path_for_each_seed() -> None:
    """With two environments it is a mixture."""
    plan = given_plan(
        GIVEN.replace('"expert"', '"models/run-{seed}"').replace(
            '"]\n', '", "rftgen/TextCraft-easy-v0"]\ntest = ["rftgen/Sokoban-medium-v0"]\n'
        )
    )
    (arm,) = [arm for arm in plan.arms if arm.name == "elsewhere"]

    assert (arm.family, len(arm.columns)) == ("mixture", 3)
    assert [m.seed for m in plan.models if m.arm == "elsewhere"] == list(plan.seeds)
    assert plan.given[0].source(3) == "models/run-3"


def test_a_plan_without_given_models_keeps_its_key() -> None:
    """A folder of results from before can go on; one with given models is read again."""
    plan, other = parse_plan(SMALL), given_plan()
    before = {k: v for k, v in plan.as_dict().items() if k not in ("about", "name", "given")}
    for environment in before["environments"].values():
        environment.pop("options")  # plans of before had none either
    text = json.dumps(before, sort_keys=True)

    assert plan.key() == hashlib.sha256(text.encode()).hexdigest()[:16]
    assert other.key() != plan.key()
    assert Plan.from_dict(json.loads(json.dumps(other.as_dict()))) == other


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GIVEN.replace("expert", " "), "needs `path`"),
        (GIVEN.replace(f'"{EASY}"', ""), "needs `trained_on`"),
        (GIVEN.replace('"elsewhere"', '"mixture"'), "another name than all that is trained"),
        (GIVEN.replace("Sokoban", "Sokobann"), "did you mean 'rftgen/Sokoban-easy-v0'"),
        (GIVEN.replace("path", "pat"), r"line 40: Unknown key 'given.pat'. Known: api_key_env"),
    ],
)
def test_a_given_model_that_cannot_be_used_is_refused_when_read(text: str, message: str) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(InvalidValueError, match=message):
        given_plan(text)


def test_a_given_model_is_tested_and_not_trained(tmp_path: Path) -> None:
    """The report says that it is given, has its gains, and cannot tell with one training."""
    plan = given_plan()
    before = count_cost(parse_plan(SMALL), tmp_path / "none").models
    recipe = PretendRecipe()
    run_plan(plan, tmp_path, log=str, recipe=recipe)
    cells = [cell for cell in read_cells(tmp_path) if cell["arm"] == "elsewhere"]
    report = make_report(plan, tmp_path).markdown()

    assert not [name for name in recipe.trained if "elsewhere" in name]
    assert count_cost(plan, tmp_path / "none").models == before
    assert {cell["successes"] for cell in cells} == {12}
    assert cells[0]["stages"] == [[EASY]]
    assert "Trained elsewhere, and only tested here: `elsewhere` (expert)." in report
    assert "elsewhere: held in less the mean of" in report
    assert not Study(plan, tmp_path).failures()


def test_a_given_model_without_seeds_is_not_repeated(tmp_path: Path) -> None:
    """The second run tests the same weights again, which says nothing about another training."""
    runs = []
    for name, seeds in (("first", (0, 1)), ("second", (2, 3))):
        plan = dataclasses.replace(given_plan(), seeds=seeds)
        run_plan(plan, tmp_path / name, log=str, recipe=PretendRecipe())
        runs.append((plan, tmp_path / name))

    page = make_replication(*runs).markdown()

    assert "sokoban-easy" in page
    assert "elsewhere" not in page


class Silent:
    """A policy whose server does not answer one request."""

    def __init__(self) -> None:
        self.is_silent = True

    def answer(self, request: Request) -> Completion:
        """Return the expert's answer, or fail."""
        if self.is_silent:
            self.is_silent = False
            raise BackendError("the server asks for a pause")
        return ExpertPolicy().act([request])[0]


def test_an_episode_without_an_answer_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cell fails with what the server said, and the next run plays it again."""
    silent, plan = Silent(), given_plan()
    monkeypatch.setattr("agentgym_gen.study.run.run.open_given", lambda *_, **__: (silent, None))
    run_plan(plan, tmp_path, log=str, recipe=PretendRecipe())
    failures = str(Study(plan, tmp_path).failures())
    played = len(read_cells(tmp_path))
    run_plan(plan, tmp_path, log=str, recipe=PretendRecipe())

    assert "1 of 12 episodes got no answer" in failures
    assert "the server asks for a pause" in failures
    assert not Study(plan, tmp_path).failures()
    assert len(read_cells(tmp_path)) == played + 1


def test_a_given_model_that_changes_is_refused(tmp_path: Path) -> None:
    """The cells of a study are of one model."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "llama"}')
    (model / "model.safetensors").write_bytes(b"one")
    given = GivenModel("mine", str(model), (EASY,))
    record_given(tmp_path / "folder", given, 0)
    (model / "model.safetensors").write_bytes(b"two")
    plan = parse_plan(SMALL)
    with pytest.raises(DataError, match=r"'mine' has changed: .* had the hash"):
        open_given(tmp_path / "folder", given, 0, plan.test, appends=True)


def test_the_model_of_an_arm_that_is_trained_is_not_given() -> None:
    """Only the name of a given one leads to it."""
    plan = given_plan()

    assert plan.given_model(ModelId((Stage("elsewhere", (EASY,)),), 0)) == plan.given[0]
    assert plan.given_model(ModelId((Stage("sokoban-easy", (EASY,)),), 0)) is None
    assert plan.given_model(ModelId((), 0)) is None
