"""`agentgym-gen train`: a file becomes a model; what is wrong is one sentence with its place."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from agentgym_gen import PromptStyle
from agentgym_gen.cli.main import main
from agentgym_gen.errors import InvalidValueError, ResultExistsError
from agentgym_gen.study.run.recipes import recipe_of
from agentgym_gen.training import load_training_plan, parse_training_plan
from agentgym_gen.training.run import check_folder, recipe_of_plan

ENV = "rftgen/TextCraft-easy-v0"
SMALL = f"""\
envs = ["{ENV}"]

[model]
name = "tiny"
layers = 1
width = 16
heads = 2
vocabulary = 300
text_episodes = 4

[style]
format = "action"
instruction = false

[warm_start]
demonstrations = 4
max_steps = 2

[rft]
max_steps = 3
tasks_per_step = 2
num_generations = 2
max_turns = 2
max_new_tokens = 4
invalid_penalty = 0.1
"""


LEARNING = (
    *(
        'envs=["rftgen/Sokoban-easy-v0"]',
        "warm_start.max_steps=40",
        "warm_start.learning_rate=2e-2",
    ),
    *("rft.max_new_tokens=8", "rft.max_turns=3", "rft.num_generations=4"),
)
"""With them each step has an update."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a file of the smallest training."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def rows(out: Path) -> list[dict[str, object]]:
    """Return the log of reinforcement fine-tuning, without times."""
    lines = (out / "rft" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        {key: value for key, value in json.loads(line).items() if "second" not in key}
        for line in lines
    ]


def test_a_file_is_trained_and_a_second_call_has_nothing_to_do(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model can be loaded, and nothing is written twice."""
    out = config.parent / "out"
    assert main(["train", str(config), "--out", str(out)]) == 0
    weights = (out / "model" / "model.safetensors").stat().st_mtime_ns
    assert "agentgym-gen eval" in capsys.readouterr().out
    assert main(["train", str(config), "--out", str(out)]) == 0

    assert "Nothing is left to do" in capsys.readouterr().out
    assert (out / "model" / "model.safetensors").stat().st_mtime_ns == weights
    assert [row["step"] for row in rows(out)] == [1, 2, 3]


def test_a_dry_run_prints_the_plan_the_model_the_step_and_the_memory(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its settings are a file that means the same; nothing is written."""
    out = config.parent / "out"
    arguments = ["rft.learning_rate=2e-5", "model.width=32", "--dry-run", "--out", str(out)]
    assert main(["train", str(config), *arguments]) == 0
    printed = capsys.readouterr().out
    toml, _, rest = printed.partition("\nmodel: ")

    again = parse_training_plan(toml)
    assert again == load_training_plan(config, arguments[:2])
    assert tomllib.loads(toml)["rft"]["learning_rate"] == 2e-5
    assert re.search(r"[\d,]+ weights, all of them trained", rest)
    assert "a step: 4 episodes" in rest
    assert "keys and values" in rest
    assert not out.exists()


def test_a_killed_training_goes_on(config: Path) -> None:
    """After SIGKILL in the middle, the same command ends with the weights of an unbroken run."""
    whole, killed = config.parent / "whole", config.parent / "killed"
    overrides = ["rft.max_steps=12", "rft.save_total_limit=0"]
    assert main(["train", str(config), *overrides, "--out", str(whole)]) == 0
    command = [sys.executable, "-m", "agentgym_gen", "train", str(config), *overrides]
    child = subprocess.Popen([*command, "--out", str(killed)], stdout=subprocess.DEVNULL)
    while not (killed / "rft" / "step_000002").exists() and child.poll() is None:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not (killed / "result.json").exists(), "the test tests nothing"
    assert main(["train", str(config), *overrides, "--out", str(killed)]) == 0

    assert rows(killed) == rows(whole)
    weights = [(out / "model" / "model.safetensors").read_bytes() for out in (whole, killed)]
    assert weights[0] == weights[1]


def test_a_folder_of_another_training_is_refused_by_its_key(config: Path) -> None:
    """The first setting that differs is named; about what is the same nothing is said."""
    out = config.parent / "out"
    out.mkdir()
    plan = load_training_plan(config)
    record = {"key": plan.key(), "plan": plan.as_dict()}
    (out / "train.json").write_text(json.dumps(record), encoding="utf-8")
    check_folder(plan, out)

    with pytest.raises(ResultExistsError, match=r"`rft\.max_steps` is 3, and here it is 4"):
        check_folder(load_training_plan(config, ["rft.max_steps=4"]), out)
    with pytest.raises(ResultExistsError, match=r"`rft\.kl_coef` is the default, and here"):
        check_folder(load_training_plan(config, ["rft.kl_coef=0.1"]), out)


def test_a_folder_of_others_is_refused(config: Path) -> None:
    """Nothing is written beside files that are none of ours."""
    out = config.parent / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("x")

    assert main(["train", str(config), "--out", str(out)]) == 2
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("max_steps = 3", "max_steps = 0", r"small\.toml, line 20: `max_steps` is a whole number"),
        ("max_steps = 3", "max_stops = 3", r"line 20: Unknown key 'rft\.max_stops'.*max_steps"),
        ("max_steps = 3", 'max_steps = "3"', r"line 20: `rft\.max_steps` is a whole number, not"),
        ("demonstrations = 4", "demonstrations = 0", r"line 16: `warm_start\.demonstrations` is 1"),
        ("demonstrations = 4", "epsilon = -0.1", r"line 16: `warm_start\.epsilon` is a probab"),
        ("demonstrations = 4", "epsilon = {'rftgen/Sokoban-v0' = 1}", r"line 16: .*, of which"),
        ('"tiny"', '"tiny"\ndepth = 3', r"line 5: Unknown key 'model\.depth'"),
        ("[rft]", "[tft]", r"line 19: Unknown key 'tft'"),
        ("TextCraft", "TextKraft", r"line 1: .*TextCraft-easy-v0"),
        ("[style]", "[style", r"small\.toml is not TOML"),
        ("max_steps = 3", 'output_dir = "x"', r"`rft\.output_dir` .*--out"),
        ("max_steps = 3", "fsdp = true\nlora_rank = 4", r"line 20: `fsdp` is for training all"),
    ],
)
def test_an_error_names_file_line_and_key(config: Path, old: str, new: str, sentence: str) -> None:
    """Each is one sentence before anything is trained."""
    config.write_text(SMALL.replace(old, new), encoding="utf-8")

    with pytest.raises(InvalidValueError, match=sentence):
        load_training_plan(config)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("rft.max_steps=0", r"the argument 'rft\.max_steps=0': `max_steps` is a whole number"),
        ("rft.max_stops=1", r"the argument 'rft\.max_stops=1': Unknown key"),
        ("rft.reward=sucess", r"the argument .*: Unknown reward 'sucess'"),
        ("rft", r"An override is key=value"),
        ("envs.x=1", r"'envs\.x=1' sets a key of 'envs', which is no table"),
    ],
)
def test_an_error_in_an_override_names_the_argument(
    config: Path, override: str, sentence: str
) -> None:
    """It does not name a line of the file, in which it does not stand."""
    with pytest.raises(InvalidValueError, match=sentence) as error:
        load_training_plan(config, [override])
    assert "line" not in str(error.value)


def test_overrides_are_toml_or_a_text(config: Path) -> None:
    """Numbers, lists and tables are what they are; a bare word is a text."""
    overrides = ["rft.reward=score", "rft.advantage_clip=[-1, 2]", 'envs={"rftgen/Sokoban-*-v0"=2}']
    plan = load_training_plan(config, [*overrides[:2]])
    assert plan.rft is not None
    assert (plan.rft.reward, plan.rft.advantage_clip) == ("score", (-1.0, 2.0))


@pytest.mark.parametrize("value", ["0.5", f"{{'{ENV}' = 0.5}}"])
def test_turns_at_random_reach_the_recipe(config: Path, value: str) -> None:
    """One number is of all environments; the plan that is printed can be read again."""
    plan = load_training_plan(config, [f"warm_start.epsilon={value}"])
    printed = config.with_name("printed.toml")
    printed.write_text(plan.to_toml(), encoding="utf-8")

    assert plan.epsilon == recipe_of_plan(plan).epsilon == {ENV: 0.5}
    assert load_training_plan(printed).epsilon == {ENV: 0.5}
    assert plan.key() != load_training_plan(config).key()


def test_patterns_name_environments_and_weights(config: Path) -> None:
    """A list has equal weights, a table its own; a pattern stands for all its tiers."""
    text = SMALL.replace(f'envs = ["{ENV}"]', 'envs = ["rftgen/TextCraft-*-v0"]')
    tiers = [f"rftgen/TextCraft-{tier}-v0" for tier in ("easy", "medium", "hard")]
    assert parse_training_plan(text).envs == dict.fromkeys(tiers, 1.0)

    table = SMALL.replace(f'envs = ["{ENV}"]\n', "") + f'[envs]\n"{ENV}" = 3\n'
    assert parse_training_plan(table).envs == {ENV: 3.0}


def test_without_rft_the_warm_start_is_all(config: Path) -> None:
    """A file with a warm start only leaves the model after it."""
    config.write_text(SMALL[: SMALL.index("[rft]")], encoding="utf-8")
    out = config.parent / "out"

    assert main(["train", str(config), "--out", str(out)]) == 0
    assert (out / "model" / "model.safetensors").exists()
    assert not (out / "rft").exists()


@pytest.mark.slow
@pytest.mark.parametrize("fsdp", ["false", "true"])
def test_two_processes_train_as_one(config: Path, fsdp: str) -> None:
    """The log differs by rounding only, and what is printed is printed once."""
    one, two = config.parent / "one", config.parent / "two"
    assert main(["train", str(config), *LEARNING, "--out", str(one)]) == 0
    divided = [f"warm_start.fsdp={fsdp}", f"rft.fsdp={fsdp}"]
    command = [sys.executable, "-m", "agentgym_gen", "train", str(config), *LEARNING, *divided]
    done = subprocess.run(
        [*command, "--processes", "2", "--out", str(two)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    first, second = rows(one), rows(two)
    assert all(row["gradient_norm"] for row in first), "the test tests nothing"
    for row, other in zip(first, second, strict=True):
        for key in ("success", "valid", "loss", "gradient_norm", "action_tokens"):
            assert row[key] == pytest.approx(other[key], rel=1e-3, abs=1e-5), key
    for line in ("reinforcement 3/3", "Memory of the warm start", "Training into", "Measure it"):
        assert done.stdout.count(line) == 1, line
    assert ("the weights divided" in done.stdout) == (fsdp == "true")
    command = ["train", str(config), *LEARNING, *divided, "--processes", "2", "--out", str(two)]
    assert main(command) == 0
    assert json.loads((two / "result.json").read_text("utf-8"))["last_row"]["step"] == 3


@pytest.mark.slow
def test_two_launchers_train_as_one_process(config: Path) -> None:
    """Each `torchrun` is a node of its own, as on two machines that share a folder."""
    one, two = config.parent / "one", config.parent / "two"
    assert main(["train", str(config), *LEARNING, "--out", str(one)]) == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2"]
    launcher += ["--nproc-per-node", "1", "--rdzv-backend", "c10d", "--rdzv-endpoint", place]
    command = [*launcher, "-m", "agentgym_gen", "train", str(config), *LEARNING]
    nodes = [
        subprocess.Popen(
            [*command, "--out", str(two)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    printed = "".join(node.communicate(timeout=300)[0] for node in nodes)

    assert [node.returncode for node in nodes] == [0, 0], printed
    assert printed.count("Measure it") == 1
    for row, other in zip(rows(one), rows(two), strict=True):
        for key in ("success", "valid", "loss", "gradient_norm", "action_tokens"):
            assert row[key] == pytest.approx(other[key], rel=1e-3, abs=1e-5), key


@pytest.mark.slow
def test_a_process_that_is_killed_ends_the_others_with_a_sentence(config: Path) -> None:
    """It is named, and the same command goes on."""
    out = config.parent / "out"
    command = [sys.executable, "-m", "agentgym_gen", "train", str(config), "rft.max_steps=5000"]
    child = subprocess.Popen(
        [*command, "--processes", "2", "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (out / "rft" / "log.jsonl").exists() and child.poll() is None:
        time.sleep(0.05)
    last = max(processes_of(str(out)) - {child.pid})
    os.kill(last, signal.SIGKILL)
    _, errors = child.communicate(timeout=120)

    assert child.returncode == 2
    assert re.search(r"Process \d of 2 ended with signal 9; .* goes on from the last", errors)
    assert not processes_of(str(out))


def processes_of(argument: str) -> set[int]:
    """Return the processes that have *argument* in their command."""
    search = subprocess.run(["pgrep", "-f", argument], capture_output=True, text=True, check=False)
    return set(map(int, search.stdout.split()))


def test_weights_are_divided_among_several_processes_only(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process is told how to start several, before anything is loaded; so is a study."""
    command = ["train", str(config), "rft.fsdp=true", "--out", str(config.parent / "out")]
    assert main(command) == 2
    assert "start several with --processes N" in capsys.readouterr().err
    assert main([*command, "--dry-run", "--processes", "8"]) == 0
    assert "8 processes: each with 1 of the episodes, the weights divided" in (
        capsys.readouterr().out
    )
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main([*command, "--processes", "2"]) == 2
    assert "2 processes are started already" in capsys.readouterr().err
    assert not (config.parent / "out").exists()


def test_a_study_trains_each_model_in_one_process() -> None:
    """A plan that would divide weights says what to do instead."""
    style = PromptStyle("action")
    with pytest.raises(InvalidValueError, match=r"`rft\.fsdp` divides .*--processes N.*given"):
        recipe_of({"build": "tiny"}, {}, {"fsdp": True}, lambda _: style, (1.0, 8))


def test_a_study_takes_the_memory_of_its_largest_training() -> None:
    """Of trainings with settings of their own, the one with most episodes; and the warm start."""
    from agentgym_gen.study import parse_plan
    from agentgym_gen.study.run.memory import plan_memory

    small, large = "rftgen/Sokoban-easy-v0", "rftgen/TextCraft-easy-v0"
    plan = parse_plan(f"""
name = "two"
model = {{ build = "tiny", layers = 1, width = 16, heads = 2 }}
style = {{ format = "action", instruction = false }}
cross = {{ environments = ["Sokoban", "TextCraft"] }}
warm_start = {{ max_steps = 1, demonstrations = {{ "{small}" = 2 }} }}
rft = {{ tasks_per_step = 1, num_generations = 2 }}
[environments.Sokoban]
[environments.TextCraft]
rft = {{ tasks_per_step = 64 }}
""")
    warm_start, largest = plan_memory(plan, [(small,), (large,)])

    assert (warm_start.title, warm_start.work.episodes) == ("warm start", 0)
    assert (largest.title, largest.work.episodes) == ("reinforcement fine-tuning", 128)
    assert plan_memory(plan, []) == []


def test_a_training_that_does_not_fit_is_refused_unless_asked(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table comes first, then one sentence; nothing is written."""
    small = ("this machine", 1 << 20)
    module = "agentgym_gen.trainers.models.device.free_device_memory"
    monkeypatch.setattr(module, lambda: small)
    out = config.parent / "out"
    assert main(["train", str(config), "--out", str(out)]) == 2
    printed = capsys.readouterr()
    assert "free on this machine: 1 MB" in printed.out
    assert "likely takes 0.5 GB, and this machine has 0.0 GB free" in printed.err
    assert not out.exists()
    assert main(["train", str(config), "--out", str(out), "--dry-run", "--ignore-memory"]) == 0
