"""`TextEnv`: a world as a Gymnasium environment."""

import pickle

import gymnasium
import numpy as np
import pytest
from toy_world import CorridorWorld

from agentgym_gen import Command, Outcome, Scene, TextEnv
from agentgym_gen.env import INFO_KEYS, MAX_OBSERVATION_CHARS
from agentgym_gen.errors import BackendError, EpisodeOverError, InvalidValueError, UnknownNameError

WORLD = "toy_world:CorridorWorld"


def play_expert(env: TextEnv) -> list[tuple[float, bool, bool]]:
    """Play the expert to the end and return reward, terminated and truncated of every step."""
    steps, done = [], False
    while not done:
        _, reward, terminated, truncated, _ = env.step(env.expert_action() or "")
        steps.append((reward, terminated, truncated))
        done = terminated or truncated
    return steps


def test_a_successful_episode_terminates() -> None:
    """The last step of a success is terminated, not truncated, and no step before it is."""
    env = TextEnv(WORLD, tier="easy")
    env.reset(seed=1)
    steps = play_expert(env)

    assert steps[-1] == (1.0, True, False)
    assert [step[1:] for step in steps[:-1]] == [(False, False)] * (len(steps) - 1)


def test_the_turn_limit_truncates() -> None:
    """The last turn is truncated, not terminated, and names its reason."""
    env = TextEnv(WORLD, tier="easy", max_turns=2)
    env.reset(seed=1)
    first = env.step("wait")
    _, _, terminated, truncated, info = env.step("wait")

    assert first[2:4] == (False, False)
    assert (terminated, truncated, info["end_reason"]) == (False, True, "turn_limit")


def test_success_at_the_last_turn_is_success() -> None:
    """A success in the last turn is terminated, not truncated."""
    env = TextEnv(WORLD, tier="easy", max_turns=2)
    env.reset(options={"task_id": "corridor/easy/train/0"})

    assert play_expert(env)[-1] == (1.0, True, False)


def test_info_always_has_the_same_keys() -> None:
    """The info has the same keys at the reset, after nonsense and after an action."""
    env = TextEnv(WORLD, tier="easy")
    _, first = env.reset(seed=0)
    infos = [first, env.step("fly")[4], env.step(env.expert_action() or "")[4]]

    assert [tuple(info) for info in infos] == [INFO_KEYS] * 3


@pytest.mark.parametrize("action", ["", "fly", "\x00\x1b[2J", "😀\ud800", "a" * 100_000])
def test_nonsense_is_an_observation(action: str) -> None:
    """Nonsense costs a turn, is invalid and changes nothing."""
    env = TextEnv(WORLD, tier="easy")
    env.reset(seed=0)
    before = env.admissible_actions
    observation, reward, terminated, truncated, info = env.step(action)

    assert (observation, reward, terminated, truncated) == ("Nothing happens.", 0.0, False, False)
    assert (info["valid_action"], info["turn"]) == (False, 1)
    assert env.admissible_actions == before


def test_a_step_without_an_episode_is_gymnasiums_error() -> None:
    """A step before the reset or after the end raises Gymnasium's `ResetNeeded`."""
    env = TextEnv(WORLD, tier="easy", max_turns=1)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step("wait")
    env.reset(seed=0)
    env.step("wait")
    with pytest.raises(EpisodeOverError, match="call `reset\\(\\)` before `step\\(\\)`"):
        env.step("wait")


def test_an_action_that_is_no_text_is_an_error() -> None:
    """An action of another type is an error that shows the value."""
    env = TextEnv(WORLD)
    env.reset(seed=0)
    with pytest.raises(InvalidValueError, match="An action is a text, not 3"):
        env.step(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"tier": "eazy"}, "Unknown tier 'eazy'; did you mean 'easy'?"),
        ({"split": "tst"}, "Unknown split 'tst'; did you mean 'test'?"),
        ({"max_turns": 0}, "`max_turns` is a positive number or None, not 0"),
        ({"interface": "jso"}, "Unknown interface 'jso'; did you mean 'json'?"),
        ({"render_mode": "rgb_array"}, "Unknown render mode 'rgb_array'"),
    ],
)
def test_a_wrong_keyword_value_is_named(keywords: dict[str, object], message: str) -> None:
    """A wrong value of a keyword is an error that names it."""
    with pytest.raises(InvalidValueError) as error:
        TextEnv(WORLD, **keywords)  # type: ignore[arg-type]

    assert message in str(error.value)


def test_a_misspelt_keyword_is_an_error() -> None:
    """Nothing swallows it; the world's own keywords are accepted."""
    with pytest.raises(UnknownNameError, match="splt"):
        TextEnv(WORLD, splt="test")
    assert TextEnv(WORLD, slow=True).world.slow  # type: ignore[attr-defined]


def test_a_split_without_tasks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reset to a split without tasks is an error that names split and tier."""
    env = TextEnv(WORLD, tier="easy", split="valid")
    monkeypatch.setattr(env.world.tasks, "size", lambda tier, split: 0)

    with pytest.raises(InvalidValueError, match="no tasks in the split 'valid' of 'easy'"):
        env.reset(seed=0)


def test_a_task_of_another_split_is_an_error() -> None:
    """An environment of the training split refuses a test task."""
    env = TextEnv(WORLD, tier="easy")
    with pytest.raises(InvalidValueError, match="plays the split 'train' of easy"):
        env.reset(options={"task_id": "corridor/easy/test/1"})
    with pytest.raises(UnknownNameError, match="Unknown reset option 'task'"):
        env.reset(options={"task": "corridor/easy/train/1"})


def test_seeds_decide_the_order_of_tasks() -> None:
    """The same seed gives the same tasks, whether the constructor has it or the first reset."""
    env, env_again = TextEnv(WORLD, seed=5), TextEnv(WORLD)
    tasks = [env.reset()[1]["task_id"] for _ in range(5)]
    tasks_again = [env_again.reset(seed=5 if n == 0 else None)[1]["task_id"] for n in range(5)]

    assert tasks == tasks_again
    assert len(set(tasks)) > 1


def test_an_environment_without_a_tier_plays_all_tiers() -> None:
    """Forty resets of an environment without a tier have tasks of all three."""
    env = TextEnv(WORLD, seed=0)

    tiers = {env.reset()[1]["task_id"].split("/")[1] for _ in range(40)}
    assert tiers == {"easy", "medium", "hard"}


def test_render_returns_the_last_observation() -> None:
    """Rendering returns the observation in the ansi mode and None in no mode."""
    env = TextEnv(WORLD, render_mode="ansi")
    observation, _ = env.reset(seed=0)

    assert env.render() == observation
    assert TextEnv(WORLD).render() is None


def test_a_long_observation_is_truncated() -> None:
    """An observation that is too long is truncated to the length of its space, with a mark."""
    env = TextEnv(WORLD)
    env.reset(seed=0)
    env.world.invalid_reply = lambda _: ("x" * 10**6,)  # type: ignore[method-assign]
    observation = env.step("fly")[0]

    assert len(observation) == MAX_OBSERVATION_CHARS
    assert observation.endswith("... [cut]")


def test_an_environment_survives_pickling_in_mid_episode() -> None:
    """The expert plays the same steps in a pickled copy as in the original."""
    env = TextEnv(WORLD, tier="hard")
    env.reset(seed=0)
    env.step(env.expert_action() or "")
    copy = pickle.loads(pickle.dumps(env))

    assert play_expert(copy) == play_expert(env)


class FailingBackend(CorridorWorld):
    """A world whose backend fails at the command to wait."""

    malformed_reward = -0.5

    def step(self, command: Command) -> Outcome:
        if command.verb == "wait":
            raise BackendError("the engine has died")
        return super().step(command)


def test_a_backend_that_fails_ends_the_episode() -> None:
    """The episode is truncated with the reason, and the next reset works."""
    env = TextEnv(FailingBackend(), tier="easy")
    env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step("wait")

    assert (reward, terminated, truncated) == (0.0, False, True)
    assert (info["end_reason"], info["valid_action"]) == ("backend_error", False)
    assert observation.endswith("the episode is over: the engine has died")
    with pytest.raises(EpisodeOverError):
        env.step("wait")
    assert env.reset(seed=0)[1]["end_reason"] is None


def test_only_a_backends_own_error_is_caught() -> None:
    """An error of the program is no end of an episode but raised."""
    env = TextEnv(FailingBackend(), tier="easy")
    env.reset(seed=0)
    env.world.step = lambda _: {}[0]  # type: ignore[method-assign]
    with pytest.raises(KeyError):
        env.step("open door 1")


def test_a_world_sets_the_reward_of_a_malformed_text() -> None:
    """The reward of a malformed text is the world's own, and 0 by default."""
    costs = []
    for world in (CorridorWorld(), FailingBackend()):
        env = TextEnv(world, tier="easy")
        env.reset(seed=0)
        costs.append(env.step("fly")[1])

    assert costs == [0.0, -0.5]


@pytest.mark.parametrize(
    ("world", "message"),
    [
        ("nomod:X", "Module 'nomod' in 'nomod:X' cannot be imported"),
        ("mod", "`world` is a World or 'module:class', not 'mod'"),
        ("a b:X", "'a b' in 'a b:X' is not the name of a module"),
        (3, "`world` is a World or 'module:class', not 3"),
        ("builtins:dict", "'builtins:dict' names no class of worlds"),
        ("toy_world:Nobody", "'toy_world:Nobody' names no class of worlds"),
    ],
)
def test_what_is_no_world_is_named(world: str, message: str) -> None:
    """What is no world is an error of one sentence that shows the value."""
    with pytest.raises(InvalidValueError) as error:
        TextEnv(world)

    assert message in str(error.value)


def test_options_that_are_no_mapping_are_an_error() -> None:
    """Reset options that are no mapping are an error that shows them."""
    with pytest.raises(InvalidValueError, match="`options` is a mapping or None, not 'abc'"):
        TextEnv(WORLD).reset(options="abc")  # type: ignore[arg-type]


def test_a_number_of_numpy_is_a_turn_limit() -> None:
    """A turn limit may be an integer of numpy, but not a truth value."""
    env = TextEnv(WORLD, max_turns=np.int64(4))  # type: ignore[arg-type]
    env.reset(seed=0)

    assert env.turn_limit == 4
    with pytest.raises(InvalidValueError, match="`max_turns` is a positive number or None"):
        TextEnv(WORLD, max_turns=True)


def test_no_observation_has_a_lone_surrogate() -> None:
    """A lone surrogate in an action, even as an escape of JSON, is a question mark if repeated."""
    env = TextEnv(Echo(), tier="easy", interface="json")
    env.reset(seed=0)
    observation = env.step('{"action": "open", "arguments": {"door": "\\ud800"}}')[0]

    assert observation == "No ?."


class Echo(CorridorWorld):
    """A world that repeats the argument of a command."""

    def step(self, command: Command) -> Outcome:
        return Outcome(Scene((f"No {command.args[0]}.",)), valid=False)
