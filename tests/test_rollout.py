"""Rollouts and what they leave behind."""

from collections.abc import Sequence

import pytest

from agentgym_gen import Registered, register
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
from agentgym_gen.env.making import sample_task_ids
from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.seeding import stream

ENV = "rftgen/Corridor-medium-v0"
PLAIN = PromptStyle("action", instruction=False)


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def episodes(number: int, samples: int = 1) -> list[Episode]:
    """Return episodes of the first tasks."""
    tasks = [f"corridor/medium/train/{index}" for index in range(number)]
    return [Episode(ENV, task, sample) for task in tasks for sample in range(samples)]


def test_the_expert_wins_and_trajectories_keep_their_order() -> None:
    """However many slots there are."""
    played = run(episodes(7), ExpertPolicy(), max_concurrent=3)

    assert [t.task_id for t in played] == [e.task_id for e in episodes(7)]
    assert all(t.success and t.end_reason == "success" and t.score == 1 for t in played)


def test_random_episodes_do_not_depend_on_the_slots() -> None:
    """Every episode draws from its own stream."""
    wide, narrow = (run(episodes(6, 2), RandomPolicy(), max_concurrent=slots) for slots in (12, 1))

    assert wide == narrow
    assert wide[0].turns != wide[1].turns


def test_the_seed_changes_what_a_policy_draws() -> None:
    """And nothing else does."""
    one, two, other = (run(episodes(3), RandomPolicy(), seed=seed) for seed in (1, 1, 2))

    assert one == two != other


def test_a_slot_is_refilled_as_soon_as_its_episode_ends() -> None:
    """Every call but the last ones has as many requests as there are slots."""
    sizes = []

    class Counting(RandomPolicy):
        def act(self, requests: Sequence[Request]) -> list[Completion]:
            sizes.append(len(requests))
            return super().act(requests)

    run(episodes(20), Counting(), max_concurrent=4)

    assert sizes[:5] == [4] * 5
    assert sizes == sorted(sizes, reverse=True)


def test_a_script_is_followed_and_nonsense_recorded() -> None:
    """A trajectory has what was seen, said and done."""
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
    """In order of appearance."""
    grouped = list(group_by_task(run(episodes(2, 3), RandomPolicy())))

    assert [[t.sample for t in group] for group in grouped] == [[0, 1, 2], [0, 1, 2]]


def test_drawn_tasks_are_different_and_seeded() -> None:
    """An environment of all tiers draws from each."""
    drawn = sample_task_ids("rftgen/Corridor-v0", "test", 30, stream("x"))

    assert len(set(drawn)) == 30
    assert drawn == sample_task_ids("rftgen/Corridor-v0", "test", 30, stream("x"))
    assert {task.split("/")[1] for task in drawn} == {"easy", "medium", "hard"}


def test_a_small_draw_may_come_from_any_tier() -> None:
    """Not from the first one only."""
    drawn = [sample_task_ids("rftgen/Corridor-v0", "test", 1, stream("y", n))[0] for n in range(30)]

    assert {task.split("/")[1] for task in drawn} == {"easy", "medium", "hard"}


@pytest.mark.parametrize("number", [0, 1, 2, 3, 7])
def test_shares_differ_by_one_at_most(number: int) -> None:
    """And add up."""
    drawn = sample_task_ids("rftgen/Corridor-v0", "test", number, stream("z"))
    counts = [sum(f"/{tier}/" in task for task in drawn) for tier in ("easy", "medium", "hard")]

    assert sum(counts) == number
    assert max(counts) - min(counts) <= 1


def test_interfaces_of_one_task_are_different_groups() -> None:
    """Their prompts differ, so their rewards are not compared."""
    task = "corridor/medium/train/1"
    both = [Episode(ENV, task), Episode(ENV, task, options={"interface": "json"})]
    grouped = list(group_by_task(run(both, ExpertPolicy())))

    assert [[t.interface for t in group] for group in grouped] == [["native"], ["json"]]


def test_an_id_of_another_library_is_refused() -> None:
    """Before it is made."""
    with pytest.raises(InvalidValueError, match="'CartPole-v1' is not a text environment"):
        sample_task_ids("CartPole-v1", "train", 1, stream("x"))


def test_an_unknown_id_and_no_concurrency_are_errors() -> None:
    """They are named before anything is played."""
    with pytest.raises(UnknownNameError, match="did you mean 'rftgen/Corridor-easy-v0'"):
        run([Episode("rftgen/Corridor-eazy-v0", "corridor/easy/train/1")], RandomPolicy())
    with pytest.raises(InvalidValueError, match="`max_concurrent` is at least 1, not 0"):
        run([], RandomPolicy(), max_concurrent=0)


class Tokens:
    """A policy that waits with known tokens: context 1 + turn, action 10 + turn and the end 9."""

    def __init__(self, fresh: bool) -> None:
        self.fresh = fresh

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return the tokens of each request's turn."""
        return [
            Completion("wait", (1 + r.turn, 0), (10 + r.turn, 9), (-0.5, -0.25), self.fresh)
            for r in requests
        ]


def play_tokens(fresh: bool) -> tuple[TokenSequence, ...]:
    """Return the sequences of an episode of two turns."""
    episode = Episode(ENV, "corridor/medium/train/1", options={"max_turns": 2})
    return run([episode], Tokens(fresh), style=PLAIN)[0].sequences()


def test_append_only_tokens_make_one_sequence_with_an_exact_mask() -> None:
    """Turn 0: context 1 0, action 10 9; turn 1: context 2 0, action 11 9."""
    (sequence,) = play_tokens(fresh=False)

    assert sequence.ids == (1, 0, 10, 9, 2, 0, 11, 9)
    assert sequence.action_mask == (False, False, True, True, False, False, True, True)
    assert sequence.logprobs == (0, 0, -0.5, -0.25, 0, 0, -0.5, -0.25)
    assert sequence.turns == (0, 0, 0, 0, 1, 1, 1, 1)


def test_fresh_contexts_make_a_sequence_a_turn() -> None:
    """As with a history window."""
    first, second = play_tokens(fresh=True)

    assert (first.ids, second.ids) == ((1, 0, 10, 9), (2, 0, 11, 9))
    assert second.turns == (1, 1, 1, 1)


def test_episodes_without_tokens_have_no_sequence() -> None:
    """Random and expert policies leave text only."""
    assert run(episodes(1), ExpertPolicy())[0].sequences() == ()
