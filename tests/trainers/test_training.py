"""Both trainers in a small world: they learn, resume, and report what is wrong."""

import json
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from systems import needs
from transformers import MixtralConfig, MixtralForCausalLM

from agentgym_gen import Registered, register
from agentgym_gen.agents.policy import ExpertPolicy, RandomPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import DataError, InvalidValueError, TrainingError, UnknownNameError
from agentgym_gen.trainers import checkpoint
from agentgym_gen.trainers.config import RFTConfig, SFTConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts, sample_episodes
from agentgym_gen.trainers.metrics import episode_metrics
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.rft import RFTTrainer
from agentgym_gen.trainers.sft import SFTTrainer

ENV = "rftgen/Corridor-easy-v0"
STYLE = PromptStyle("action", instruction=False)
FAST: dict[str, Any] = {"max_steps": 4, "tasks_per_step": 2, "num_generations": 4, "max_turns": 4}
WALK: dict[str, Any] = {
    **FAST,
    "lora_rank": 0,
    "save_steps": 0,
    "max_new_tokens": 6,
    "invalid_penalty": 0.1,
    "turn_cost": 0.01,
}


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def tiny(seed: int = 0) -> tuple[Model, Tokenizer]:
    """Return a small model that knows the words of the corridor, but not when to use them."""
    texts = expert_texts([ENV], STYLE, number=20)
    return build_tiny(texts, seed, TinySize(2, 32, 2, 300, 512))


def warm(steps: int = 60, seed: int = 0) -> tuple[Model, Tokenizer]:
    """Return a model after some steps on demonstrations."""
    model, tokenizer = tiny(seed)
    trajectories = demonstrations([ENV], tokenizer, STYLE, number=20)
    args = SFTConfig(lora_rank=0, learning_rate=5e-3, max_steps=steps, batch_size=8, warmup_steps=5)
    SFTTrainer(model, tokenizer, args, trajectories).train()
    return model, tokenizer


def trainer(model: Model, tokenizer: Tokenizer, **settings: object) -> RFTTrainer:
    """Return a trainer in the corridor."""
    args = RFTConfig(**(WALK | settings))
    return RFTTrainer(model=model, tokenizer=tokenizer, envs=[ENV], args=args, style=STYLE)


def weights(model: Model) -> dict[str, torch.Tensor]:
    """Return a copy of the weights."""
    return {name: weight.detach().clone() for name, weight in model.state_dict().items()}


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Return whether all weights are the same to the bit."""
    return all(torch.equal(weight, second[name]) for name, weight in first.items())


def test_demonstrations_have_the_layout_of_the_sampler() -> None:
    """They are one growing sequence, in which the answers and their ends are marked."""
    _, tokenizer = tiny()
    (episode,) = demonstrations([ENV], tokenizer, STYLE, number=1)
    (sequence,) = episode.sequences()
    marked = [t for t, acted in zip(sequence.ids, sequence.action_mask, strict=True) if acted]

    assert tokenizer.decode(sequence.ids) == "".join(
        f"<|user|>{turn.observation}<|assistant|>{turn.action}<|end|>" for turn in episode.turns
    )
    assert tokenizer.decode(marked) == "".join(f"{turn.action}<|end|>" for turn in episode.turns)


def test_demonstrations_may_take_turns_at_random() -> None:
    """With 1 they are the episodes of `RandomPolicy`, failed ones too; with less, in between."""
    _, tokenizer = tiny()
    never, often, always = (
        demonstrations([ENV], tokenizer, STYLE, number=20, epsilon=epsilon)
        for epsilon in (0, 0.5, 1)
    )
    random = run(sample_episodes([ENV], "train", 20, 0), RandomPolicy(), style=STYLE)

    assert [actions(episode) for episode in always] == [actions(episode) for episode in random]
    assert sum(t.success for t in always) < sum(t.success for t in often) <= len(often) == 20
    assert [actions(episode) for episode in often] != [actions(episode) for episode in never]
    with pytest.raises(InvalidValueError, match=r"`epsilon` is a probability from 0 to 1, not 2"):
        demonstrations([ENV], tokenizer, STYLE, number=1, epsilon=2)


def actions(trajectory: Trajectory) -> list[str]:
    """Return the actions of an episode."""
    return [turn.action for turn in trajectory.turns]


def test_demonstrations_lead_to_success() -> None:
    """After 60 steps the model walks through most corridors of the other split."""
    model, tokenizer = warm()
    trajectories = trainer(model, tokenizer, max_turns=None).play(number=20)

    assert episode_metrics(trajectories)["success"] >= 0.5


@pytest.mark.slow
def test_rewards_alone_lead_to_more_success() -> None:
    """From a model that fails often, success rises by at least 20 points on the other split."""
    model, tokenizer = warm(25)
    settings = {"max_steps": 40, "tasks_per_step": 4, "num_generations": 16, "max_turns": 6}
    rft = trainer(model, tokenizer, learning_rate=3e-3, **settings)
    before = rft.evaluate(number=50, k=4)["success"]
    rft.train()
    after = rft.evaluate(number=50, k=4)["success"]

    assert after >= before + 0.2


def test_the_log_has_every_step(tmp_path: Path) -> None:
    """Every row has the metrics, the dropped groups and the gap, which is only rounding."""
    model, tokenizer = warm(40)
    rft = trainer(model, tokenizer, output_dir=str(tmp_path), max_steps=2)
    history = rft.train()
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]

    assert rows == history
    assert [row["step"] for row in rows] == [1, 2]
    assert {"success", "turns", "valid", "reward", "zero_variance_groups"} <= set(rows[0])
    assert max(row["sampler_gap"] for row in rows if "sampler_gap" in row) < 1e-4


def test_truncated_turns_are_counted() -> None:
    """One token is too short for any answer, and enough tokens are not."""
    model, tokenizer = warm(40)
    (short,) = trainer(model, tokenizer, max_new_tokens=1, max_steps=1).train()
    (long,) = trainer(model, tokenizer, max_new_tokens=40, max_steps=1).train()

    assert short["truncated_turns"] > 0.9
    assert long["truncated_turns"] < 0.5


def test_a_truncated_turn_is_refused_on_demand() -> None:
    """The same tokens are sampled, but a cut action is invalid instead of carried out."""
    model, tokenizer = warm(40)
    acted = trainer(model, tokenizer, max_new_tokens=4).play(number=4)
    refused = trainer(model, tokenizer, max_new_tokens=4, on_truncated_turn="refuse").play(number=4)

    assert acted[0].turns[0].completion.action_ids == refused[0].turns[0].completion.action_ids
    cut = [turn for episode in refused for turn in episode.turns if turn.completion.truncated]
    assert cut
    assert len(cut) == sum(episode.truncated_turns for episode in refused)
    assert not any(turn.valid or turn.action for turn in cut)
    assert any(turn.action for episode in acted for turn in episode.turns)


@pytest.mark.parametrize("rank", [0, 4])
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path: Path, rank: int) -> None:
    """The weights are equal to the bit, with all weights trained and with an adapter."""
    settings = {"lora_rank": rank, "save_steps": 2, "kl_coef": 0.01, "learning_rate": 1e-3}
    whole = trainer(*warm(40), output_dir=str(tmp_path / "whole"), **settings)
    whole.train()
    shutil.copytree(tmp_path / "whole" / "step_000002", tmp_path / "cut" / "step_000002")
    resumed = trainer(*warm(40), output_dir=str(tmp_path / "cut"), **settings)
    history = resumed.train(resume_from_checkpoint=True)

    assert equal(weights(whole.model), weights(resumed.model))
    assert [row["step"] for row in history] == [1, 2, 3, 4]
    assert history[0]["gradient_norm"] > 0, "nothing was learnt before the break"
    assert history[3]["gradient_norm"] > 0, "nothing was learnt after it"
    assert history[3]["success"] == whole.train()[3]["success"]


def test_sft_resumes_to_the_bit(tmp_path: Path) -> None:
    """The order of the demonstrations depends on the step, not on the process."""
    trajectories = demonstrations([ENV], tiny()[1], STYLE, number=5)
    args = SFTConfig(lora_rank=0, max_steps=6, save_steps=3, batch_size=2, output_dir=str(tmp_path))
    whole, resumed = (SFTTrainer(*tiny(), args, trajectories) for _ in range(2))
    whole.train()
    resumed.train(resume_from_checkpoint=tmp_path / "step_000003")

    assert equal(weights(whole.model), weights(resumed.model))


def test_a_reinforcement_does_not_go_on_with_the_steps_of_a_warm_start(tmp_path: Path) -> None:
    """It would be finished before it began."""
    trajectories = demonstrations([ENV], tiny()[1], STYLE, number=2)
    args = SFTConfig(lora_rank=0, max_steps=3, output_dir=str(tmp_path))
    SFTTrainer(*tiny(), args, trajectories).train()
    model, tokenizer = tiny()
    settings = RFTConfig(lora_rank=0, max_steps=2, output_dir=str(tmp_path))
    trainer = RFTTrainer(model=model, tokenizer=tokenizer, envs=[ENV], args=settings, style=STYLE)
    with pytest.raises(InvalidValueError, match="is not of a training with RFTConfig"):
        trainer.train(resume_from_checkpoint=True)


def test_a_mixture_of_experts_resumes_to_the_bit(tmp_path: Path) -> None:
    """Its experts have other names in the file than in memory."""
    tokenizer = tiny()[1]
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "num_local_experts": 2}
    ends = {"eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    config = MixtralConfig(vocab_size=len(tokenizer), **sizes, **heads, **ends, sliding_window=None)
    model = MixtralForCausalLM(config)
    trajectories = demonstrations([ENV], tokenizer, STYLE, number=5)
    args = SFTConfig(lora_rank=0, max_steps=2, save_steps=1, batch_size=2, output_dir=tmp_path)
    whole, resumed = (SFTTrainer(deepcopy(model), tokenizer, args, trajectories) for _ in range(2))
    whole.train()
    resumed.train(resume_from_checkpoint=tmp_path / "step_000001")

    assert equal(weights(whole.model), weights(resumed.model))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft's own
def test_an_adapter_is_saved_as_peft_saves_it(tmp_path: Path) -> None:
    """The base is unchanged, and with the adapter of the checkpoint it is the trained model."""
    model, tokenizer = warm(40)
    before = weights(model)
    rft = trainer(model, tokenizer, lora_rank=4, learning_rate=1e-3, output_dir=str(tmp_path))
    rft.train()
    ids = torch.tensor([tokenizer.encode("You are at door 1.")])
    base, _ = warm(40)
    assert equal(before, weights(base))
    loaded = PeftModel.from_pretrained(base, str(tmp_path / "step_000004"))

    with torch.no_grad():
        trained, again = rft.model(ids).logits, loaded(ids).logits
        with loaded.disable_adapter():
            untrained = loaded(ids).logits
    torch.testing.assert_close(trained, again)
    assert not torch.equal(trained, untrained)


def test_a_run_killed_while_it_writes_leaves_the_older_checkpoint(tmp_path: Path) -> None:
    """A half-written folder has another name and is not taken for a checkpoint."""
    checkpoint.write(tmp_path, 5, {}, lambda folder: None)

    def die(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(tmp_path, 10, {}, die)

    assert checkpoint.latest(tmp_path) == tmp_path / "step_000005"
    assert checkpoint.find(tmp_path, False) is None
    with pytest.raises(DataError, match="is not a checkpoint"):
        checkpoint.find(tmp_path, tmp_path / "step_000010")


def test_training_stops_when_actions_become_invalid() -> None:
    """The weights go back to those of the last step whose actions were valid."""
    model, tokenizer = warm()
    before = weights(model)
    rft = trainer(model, tokenizer, learning_rate=10.0, max_grad_norm=1e9, max_steps=5)
    history = rft.train()

    assert "stopped" in history[-1]
    assert len(history) < 5
    assert equal(before, weights(rft.model))


def test_a_loss_that_is_no_number_is_an_error(tmp_path: Path) -> None:
    """The error names the step, and the batch is saved."""
    model, tokenizer = tiny()
    trajectories = demonstrations([ENV], tokenizer, STYLE, number=2)
    with torch.no_grad():
        model.lm_head.weight.fill_(float("nan"))

    args = SFTConfig(lora_rank=0, max_steps=1, output_dir=str(tmp_path))
    with pytest.raises(TrainingError, match="not a number at step 1; the batch is in"):
        SFTTrainer(model, tokenizer, args, trajectories).train()
    bad_batch = torch.load(tmp_path / "not_a_number_000001.pt")
    assert tokenizer.decode(bad_batch["ids_BT"][0]).startswith("<|user|>You are at door 1.")


def test_what_cannot_be_trained_is_refused() -> None:
    """No environment, an unknown one, and episodes without tokens are errors."""
    model, tokenizer = tiny()
    args = RFTConfig(**WALK)
    with pytest.raises(InvalidValueError, match="one or more environment ids"):
        RFTTrainer(model=model, tokenizer=tokenizer, envs=[], args=args)
    with pytest.raises(UnknownNameError, match="Corridor-easy"):
        RFTTrainer(model=model, tokenizer=tokenizer, envs=["rftgen/Coridor-easy-v0"], args=args)
    without_tokens = run([Episode(ENV, "corridor/easy/train/0")], ExpertPolicy(), style=STYLE)
    with pytest.raises(InvalidValueError, match="none with tokens"):
        SFTTrainer(model, tokenizer, SFTConfig(lora_rank=0), without_tokens)
    with pytest.raises(InvalidValueError, match="No environment"):
        demonstrations([], tokenizer, STYLE, number=1)


@needs("POSIX", "a limit on the size of files")
def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    """The older checkpoint is as it was, and nothing half-written is left."""
    import resource

    rft = trainer(*tiny(), output_dir=str(tmp_path), max_steps=1)
    rft.train()
    rft._learner.restore(rft._learner.snapshot())  # or else the files would only be linked
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(DataError, match=r"Cannot write the checkpoint .*step_000007"):
            checkpoint.write(tmp_path, 7, {}, rft._learner.write_files)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["step_000001"]


def test_a_log_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(DataError, match=r"log\.jsonl is there and is no log of a training"):
        trainer(*tiny(), output_dir=str(tmp_path), max_steps=1).train()


def test_a_model_without_a_tokenizer_is_refused() -> None:
    """A model that is passed as an object needs a tokenizer."""
    with pytest.raises(InvalidValueError, match="needs `tokenizer`"):
        RFTTrainer(model=tiny()[0], envs=[ENV], args=RFTConfig())


def test_the_tiny_model_is_built_by_name() -> None:
    """It is built from the texts of the environments, the same for the same seed."""
    args = RFTConfig(**WALK)
    first, second = (
        RFTTrainer(model="rftgen-tiny", envs=[ENV], args=args, style=STYLE) for _ in range(2)
    )

    assert equal(weights(first.model), weights(second.model))
    assert len(first.tokenizer.encode(" door", add_special_tokens=False)) == 1


KILLED = """
import os, signal, sys
sys.path.insert(0, "tests/trainers")
import pytest
from pathlib import Path
import agentgym_gen
agentgym_gen.register(agentgym_gen.Registered("Corridor", "toy_world:CorridorWorld"))
from test_training import trainer, warm
from agentgym_gen.trainers import learner
write_files = learner.Learner.write_files
def die(self, folder, **state):
    write_files(self, folder, **state)
    if self.step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
learner.Learner.write_files = die
trainer(*warm(40), output_dir=sys.argv[1], save_steps=1, save_total_limit=1).train()
"""


@pytest.mark.slow
@needs("POSIX", "SIGKILL")
def test_a_killed_run_loses_one_step_at_most(tmp_path: Path) -> None:
    """Killed while it writes step 3, it resumes from step 2 and ends as an unbroken run does."""
    root = Path(__file__).parents[2]
    environ = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr
    whole = trainer(*warm(40))
    whole.train()
    resumed = trainer(*warm(40), output_dir=str(tmp_path), save_steps=1)

    assert [path.name for path in tmp_path.glob("step_*")] == ["step_000002"]
    assert [row["step"] for row in resumed.train(resume_from_checkpoint=True)] == [1, 2, 3, 4]
    assert equal(weights(whole.model), weights(resumed.model))
