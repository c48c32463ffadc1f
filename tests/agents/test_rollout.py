"""Rollouts: episodes played side by side, and their trajectories."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from toy_world import Corridor, CorridorWorld

from agentgym_gen import Randomized, Registered, Scene, Task, register
from agentgym_gen.agents.policy import (
    Completion,
    ExpertPolicy,
    RandomPolicy,
    Request,
    ScriptedPolicy,
)
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, group_by_task, run
from agentgym_gen.agents.trajectory import TokenSequence
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import sample_task_ids
from agentgym_gen.errors import BackendError, InvalidValueError, UnknownNameError
from agentgym_gen.seeding import stream

ENV = "rftgen/Corridor-medium-v0"


class OneByOne:
    """The expert as a concurrent policy."""

    def answer(self, request: Request) -> Completion:
        """Return the expert's answer to one request."""
        return ExpertPolicy().act([request])[0]


PLAIN = PromptStyle("action", instruction=False)


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def episodes(number: int, samples: int = 1) -> list[Episode]:
    """Return *samples* episodes of each of the first *number* tasks."""
    tasks = [f"corridor/medium/train/{index}" for index in range(number)]
    return [Episode(ENV, task, sample) for task in tasks for sample in range(samples)]


def test_the_expert_succeeds_and_trajectories_keep_their_order() -> None:
    """The expert succeeds in seven tasks, and trajectories are in the order of the episodes."""
    trajectories = run(episodes(7), ExpertPolicy(), max_concurrent=3)

    assert [t.task_id for t in trajectories] == [e.task_id for e in episodes(7)]
    assert all(t.success and t.end_reason == "success" and t.score == 1 for t in trajectories)


class Broken:
    """The expert, until it has answered nine times."""

    def __init__(self) -> None:
        self.left = 9

    def answer(self, request: Request) -> Completion:
        """Return the expert's answer to one request, or raise."""
        self.left -= 1
        if self.left < 0:
            raise ZeroDivisionError
        return ExpertPolicy().act([request])[0]


class BrokenBatched:
    """The same as a batched policy."""

    def __init__(self) -> None:
        self._policy = Broken()

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return the expert's answers, or raise."""
        return [self._policy.answer(request) for request in requests]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[list[TextEnv], list[TextEnv]]:
    """Return the environments that are made from now on, and those that are closed."""
    opened: list[TextEnv] = []
    closed: list[TextEnv] = []
    make, close = TextEnv.__init__, TextEnv.close

    def counted_init(env: TextEnv, *args: Any, **keywords: Any) -> None:  # noqa: ANN401
        make(env, *args, **keywords)
        opened.append(env)

    def counted_close(env: TextEnv) -> None:
        closed.append(env)
        close(env)

    monkeypatch.setattr(TextEnv, "__init__", counted_init)
    monkeypatch.setattr(TextEnv, "close", counted_close)
    return opened, closed


@pytest.mark.parametrize("policy", [ExpertPolicy(), OneByOne()], ids=["batched", "concurrent"])
def test_every_environment_is_closed_when_the_rollout_ends(
    policy: ExpertPolicy | OneByOne, counted: tuple[list[TextEnv], list[TextEnv]]
) -> None:
    """Each that was made, which are no more than played at once."""
    opened, closed = counted
    run(episodes(7), policy, max_concurrent=3)

    assert 1 <= len(opened) <= 3
    assert sorted(map(id, closed)) == sorted(map(id, opened))


@pytest.mark.parametrize("policy", [BrokenBatched, Broken], ids=["batched", "concurrent"])
def test_every_environment_is_closed_when_the_policy_raises(
    policy: type[BrokenBatched | Broken], counted: tuple[list[TextEnv], list[TextEnv]]
) -> None:
    """Those too whose episodes were being played, as soon as their threads notice."""
    opened, closed = counted
    with pytest.raises(ZeroDivisionError):
        run(episodes(7), policy(), max_concurrent=3)
    end = time.monotonic() + 30
    while len(closed) < len(opened) and time.monotonic() < end:
        time.sleep(0.01)

    assert sorted(map(id, closed)) == sorted(map(id, opened))


def test_random_episodes_do_not_depend_on_concurrency() -> None:
    """Twelve concurrent random episodes are the same as twelve one after another."""
    wide, narrow = (run(episodes(6, 2), RandomPolicy(), max_concurrent=most) for most in (12, 1))

    assert wide == narrow
    assert wide[0].turns != wide[1].turns


def test_the_seed_changes_what_a_policy_samples() -> None:
    """Random episodes are the same with the same seed and others with another."""
    first, same, different = (run(episodes(3), RandomPolicy(), seed=seed) for seed in (1, 1, 2))

    assert first == same != different


def test_an_ended_episode_is_replaced_at_once() -> None:
    """Every call but the last ones has as many requests as episodes may be concurrent."""
    sizes = []

    class Counting(RandomPolicy):
        def act(self, requests: Sequence[Request]) -> list[Completion]:
            sizes.append(len(requests))
            return super().act(requests)

    run(episodes(20), Counting(), max_concurrent=4)

    assert sizes[:5] == [4] * 5
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("policy", [ExpertPolicy(), OneByOne()], ids=["batched", "concurrent"])
def test_a_task_that_cannot_be_made_ends_its_episode_only(
    monkeypatch: pytest.MonkeyPatch, policy: ExpertPolicy | OneByOne
) -> None:
    """A backend that fails in a reset ends one episode without a turn; the others are played."""
    reset = CorridorWorld.reset

    def fail(world: CorridorWorld, task: Task[Corridor]) -> Scene:
        if task.id.key in "02":
            raise BackendError("The corridor has no door")
        return reset(world, task)

    monkeypatch.setattr(CorridorWorld, "reset", fail)
    options = {"interface": Randomized()}
    played = [Episode(ENV, f"corridor/medium/train/{key}", options=options) for key in range(4)]
    trajectories = run(played, policy, max_concurrent=2)

    assert [t.end_reason for t in trajectories] == ["backend_error", "success"] * 2
    assert (trajectories[0].turns, trajectories[0].error) == ((), "The corridor has no door")
    assert trajectories[0].interface != trajectories[2].interface != "native"


def test_a_script_is_followed_and_nonsense_recorded() -> None:
    """A trajectory has the action, validity and observation of every turn."""
    (trajectory,) = run(
        [Episode(ENV, "corridor/medium/train/1", options={"max_turns": 2})],
        ScriptedPolicy(["Thought:\nhm\n\nAction:\nwait", "fly"]),
    )

    assert [turn.action for turn in trajectory.turns] == ["wait", "fly"]
    assert [turn.valid for turn in trajectory.turns] == [True, False]
    assert trajectory.invalid_turns == 1
    assert trajectory.end_reason == "turn_limit"
    assert trajectory.last_observation == "Nothing happens."


def test_groups_are_the_samples_of_one_task() -> None:
    """The samples of one task are a group, in the order of the episodes."""
    grouped = list(group_by_task(run(episodes(2, 3), RandomPolicy())))

    assert [[t.sample for t in group] for group in grouped] == [[0, 1, 2], [0, 1, 2]]


def test_sampled_tasks_are_different_and_seeded() -> None:
    """Thirty sampled tasks are different, of all tiers, and the same for the same stream."""
    task_ids = sample_task_ids("rftgen/Corridor-v0", "test", 30, stream("x"))

    assert len(set(task_ids)) == 30
    assert task_ids == sample_task_ids("rftgen/Corridor-v0", "test", 30, stream("x"))
    assert {task_id.split("/")[1] for task_id in task_ids} == {"easy", "medium", "hard"}


def test_a_small_sample_may_come_from_any_tier() -> None:
    """A sample of one task is of the first tier, the second or the third."""
    streams = [stream("y", number) for number in range(30)]
    task_ids = [sample_task_ids("rftgen/Corridor-v0", "test", 1, rng)[0] for rng in streams]

    assert {task_id.split("/")[1] for task_id in task_ids} == {"easy", "medium", "hard"}


@pytest.mark.parametrize("number", [0, 1, 2, 3, 7])
def test_shares_of_tiers_differ_by_one_at_most(number: int) -> None:
    """The numbers of tasks of each tier differ by one at most and add up."""
    task_ids = sample_task_ids("rftgen/Corridor-v0", "test", number, stream("z"))
    tiers = ("easy", "medium", "hard")
    counts = [sum(f"/{tier}/" in task_id for task_id in task_ids) for tier in tiers]

    assert sum(counts) == number
    assert max(counts) - min(counts) <= 1


def test_interfaces_of_one_task_are_different_groups() -> None:
    """Episodes of one task through two interfaces are two groups, since their prompts differ."""
    task = "corridor/medium/train/1"
    both = [Episode(ENV, task), Episode(ENV, task, options={"interface": "json"})]
    grouped = list(group_by_task(run(both, ExpertPolicy())))

    assert [[t.interface for t in group] for group in grouped] == [["native"], ["json"]]


def test_an_id_of_another_library_is_an_error() -> None:
    """The id of an environment without texts is an error that names it."""
    with pytest.raises(InvalidValueError, match="'CartPole-v1' is not a text environment"):
        sample_task_ids("CartPole-v1", "train", 1, stream("x"))


def test_an_unknown_id_and_no_concurrency_are_errors() -> None:
    """An unknown id and a concurrency of 0 are errors that name them."""
    with pytest.raises(UnknownNameError, match="did you mean 'rftgen/Corridor-easy-v0'"):
        run([Episode("rftgen/Corridor-eazy-v0", "corridor/easy/train/1")], RandomPolicy())
    with pytest.raises(InvalidValueError, match="`max_concurrent` is at least 1, not 0"):
        run([], RandomPolicy(), max_concurrent=0)


class Tokens:
    """A policy that waits with fixed tokens: context 1 + turn, action 10 + turn and the end 9."""

    def __init__(self, starts_sequence: bool) -> None:
        self.starts_sequence = starts_sequence

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return the tokens of each request's turn."""
        return [
            Completion(
                "wait", (1 + r.turn, 0), (10 + r.turn, 9), (-0.5, -0.25), self.starts_sequence
            )
            for r in requests
        ]


def play_tokens(starts_sequence: bool) -> tuple[TokenSequence, ...]:
    """Return the sequences of an episode of two turns."""
    episode = Episode(ENV, "corridor/medium/train/1", options={"max_turns": 2})
    return run([episode], Tokens(starts_sequence), style=PLAIN)[0].sequences()


def test_append_only_tokens_make_one_sequence_with_an_exact_mask() -> None:
    """Contexts 1 0 and 2 0 and actions 10 9 and 11 9 are one sequence; the mask has the actions."""
    (sequence,) = play_tokens(starts_sequence=False)

    assert sequence.ids == (1, 0, 10, 9, 2, 0, 11, 9)
    assert sequence.action_mask == (False, False, True, True, False, False, True, True)
    assert sequence.logprobs == (0, 0, -0.5, -0.25, 0, 0, -0.5, -0.25)
    assert sequence.turns == (0, 0, 0, 0, 1, 1, 1, 1)


def test_turns_that_start_a_sequence_make_one_each() -> None:
    """Turns whose context is written anew, as with a history window, are a sequence each."""
    first, second = play_tokens(starts_sequence=True)

    assert (first.ids, second.ids) == ((1, 0, 10, 9), (2, 0, 11, 9))
    assert second.turns == (1, 1, 1, 1)


def test_episodes_without_tokens_have_no_sequence() -> None:
    """A trajectory of the expert, which has texts only, has no sequences."""
    assert run(episodes(1), ExpertPolicy())[0].sequences() == ()
