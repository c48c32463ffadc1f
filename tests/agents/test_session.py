"""A session is one episode as chat messages."""

import json

import pytest

from agentgym_gen import ExpertPolicy, PromptStyle, ScriptedPolicy, Session, env_ids, run
from agentgym_gen.agents import Completion, Episode, Policy
from agentgym_gen.env.registration import BUNDLED
from agentgym_gen.errors import EpisodeOverError, InvalidValueError, UnknownNameError

ENV, TASK = "rftgen/TextCraft-easy-v0", "textcraft/easy/train/17"
NAMES = [one.name for one in BUNDLED if one.extra is None]


def expert_session(style: PromptStyle | None = None, **settings: str) -> Session:
    """Return a session that the expert has played to its end."""
    session = Session(ENV, TASK, style=style, **settings)
    session.start()
    while not session.done:
        session.reply(session.env.expert_action() or "")
    return session


def test_an_episode_opens_with_the_rules_and_the_first_observation() -> None:
    """They are one message of the user, which asks for the format of the style."""
    messages = Session(ENV, TASK, style=PromptStyle("action")).start()

    assert [message["role"] for message in messages] == ["user"]
    assert "Crafting commands:" in messages[0]["content"]
    assert "Answer with your next action and nothing else." in messages[0]["content"]


def test_each_answer_adds_two_messages() -> None:
    """The answer itself as the assistant's message, and the observation as the user's."""
    session = Session(ENV, TASK, style=PromptStyle("action"))
    opening = session.start()
    reply = session.reply("inventory")

    answer = {"role": "assistant", "content": "inventory"}
    assert list(session.messages) == [*opening, answer, reply.message]


def test_a_window_drops_messages_and_keeps_the_goal() -> None:
    """The messages of a session are those that `run` asks a policy with."""
    session = Session(ENV, TASK, style=PromptStyle("action", window=0))
    session.start()
    session.reply("inventory")

    assert len(session.messages) == 1
    assert "Crafting commands:" in session.messages[0]["content"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interface", ["native", "unlisted+symbols"])
def test_a_message_has_nothing_of_info(name: str, interface: str) -> None:
    """Success, score and the list of actions reach no message of an interface without a list."""
    env_id = f"rftgen/{name}-easy-v0"
    session = Session(env_id, f"{name.lower()}/easy/test/1", options={"interface": interface})
    session.start()
    text = json.dumps(session.messages)
    info = session.reply("xyzzy").info

    assert "end_reason" not in text
    assert "admissible_actions" not in text
    assert info["valid_action"] is False


@pytest.mark.parametrize("name", NAMES)
def test_a_session_plays_the_episode_that_run_plays(name: str) -> None:
    """The trajectory of the same answers is the same."""
    env_id, task_id = f"rftgen/{name}-easy-v0", f"{name.lower()}/easy/test/2"
    (trajectory,) = run([Episode(env_id, task_id)], ExpertPolicy())
    session = Session(env_id, task_id)
    session.start()
    for turn in trajectory.turns:
        session.reply(turn.completion)

    assert session.trajectory() == trajectory
    assert session.result().success


@pytest.mark.parametrize("reward", ["success", "score"])
def test_a_reward_of_the_episode_is_paid_at_its_end(reward: str) -> None:
    """The turns before it pay nothing."""
    session = Session(ENV, TASK, style=PromptStyle("action"), reward=reward)
    session.start()
    paid = []
    while not session.done:
        paid.append(session.reply(session.env.expert_action() or "").reward)

    assert paid == [0.0] * (len(paid) - 1) + [1.0]
    assert session.result().reward == 1.0


def test_step_rewards_add_up_to_the_return() -> None:
    """They are the rewards of the environment."""
    session = expert_session(PromptStyle("action"), reward="return")

    assert session.result().reward == session.trajectory().total_reward > 0


def test_a_result_counts_invalid_and_truncated_turns() -> None:
    """A turn may be both."""
    session = Session(ENV, TASK, style=PromptStyle("action"))
    session.start()
    session.reply("fly")
    session.reply(Completion("inventory", truncated=True))
    result = session.result()

    assert (result.turns, result.invalid_turns, result.truncated_turns) == (2, 1, 1)
    assert (result.success, result.reward, result.end_reason) == (False, 0.0, None)


def test_a_session_can_be_started_again() -> None:
    """The same session plays the same episode, from its first message."""
    session = Session(ENV, TASK)
    first = session.start()
    session.reply("fly")

    assert session.start() == first
    assert session.result().turns == 0


def test_an_answer_before_the_start_or_after_the_end_is_an_error() -> None:
    """The sentence names the call that is due."""
    with pytest.raises(EpisodeOverError, match=r"call `start\(\)` first"):
        Session(ENV, TASK).reply("inventory")
    with pytest.raises(EpisodeOverError, match=r"call `start\(\)` for another one"):
        expert_session(PromptStyle("action")).reply("inventory")


def test_a_trajectory_is_that_of_a_whole_episode() -> None:
    """An episode that goes on has none."""
    session = Session(ENV, TASK)
    session.start()
    with pytest.raises(InvalidValueError, match="an episode that is over"):
        session.trajectory()


def test_an_unknown_reward_or_id_is_an_error() -> None:
    """The nearest name is suggested."""
    with pytest.raises(UnknownNameError, match="did you mean 'success'"):
        Session(ENV, TASK, reward="succes")
    with pytest.raises(UnknownNameError, match="did you mean 'rftgen/TextCraft-easy-v0'"):
        Session("rftgen/TextCraft-eazy-v0", TASK)


def test_every_policy_plays_through_sessions() -> None:
    """`run` asks a policy with the messages of a session."""

    class Recording:
        def __init__(self, policy: Policy) -> None:
            self.policy = policy
            self.asked: list[object] = []

        def act(self, requests):  # noqa: ANN001, ANN202
            self.asked += [list(request.messages) for request in requests]
            return self.policy.act(requests)

    recording = Recording(ScriptedPolicy(["inventory", "fly"]))
    run([Episode(ENV, TASK, options={"max_turns": 2})], recording, style=PromptStyle("action"))
    session = Session(ENV, TASK, style=PromptStyle("action"), options={"max_turns": 2})
    messages = [session.start()]
    session.reply("inventory")

    assert recording.asked == [*messages, list(session.messages)]
    assert ENV in env_ids()
