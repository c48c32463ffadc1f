"""Which actions were admissible at every turn: the episode is played again.

No file holds them, and none needs to: the same task through the same interface is the same episode,
if it is answered with the same actions. Each observation is compared with that of the file.
"""

from __future__ import annotations

from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.ids import EnvId
from agentgym_gen.viewer.episodes import ViewedEpisode, ViewedTurn
from agentgym_gen.world import Malformed, TaskId

__all__ = ["admissible_actions"]


def admissible_actions(episode: ViewedEpisode) -> list[list[str]]:
    """Return the admissible actions before each turn of *episode*, as texts of its interface.

    Raises:
        InvalidValueError: if the environment of this version plays the episode differently, or
            cannot play it.
        MissingExtraError: if it needs an extra that is not installed.
        BackendError: if the software behind the world fails.
    """
    if not episode.turns:
        return []
    options = {"interface": episode.interface, "max_turns": len(episode.turns) + 1}
    env_id = str(EnvId.parse(episode.env_id).replace(query=()))
    env = make_text_env(env_id, TaskId.parse(episode.task_id).split, options)
    try:
        return _play(env, episode)
    finally:
        env.close()


def _play(env: TextEnv, episode: ViewedEpisode) -> list[list[str]]:
    observation, _ = env.reset(options={"task_id": episode.task_id})
    lists = []
    was_valid = True
    for number, turn in enumerate(episode.turns, 1):
        # The answer to an action that is refused may repeat more of it than a file has.
        if was_valid and observation != turn.observation:
            raise _differs(number, "shows another observation")
        lists.append(list(env.admissible_actions))
        if number < len(episode.turns):
            observation, was_valid = _step(env, number, turn)
    return lists


def _step(env: TextEnv, number: int, turn: ViewedTurn) -> tuple[str, bool]:
    # An action that was not carried out is not carried out now, whatever its text means.
    action = turn.action if turn.valid else Malformed(turn.action, "it was not carried out")
    observation, _, terminated, truncated, info = env.step(action)
    if terminated or truncated or (turn.valid and not info["valid_action"]):
        raise _differs(number, "goes on differently after this turn")
    return observation, turn.valid


def _differs(number: int, difference: str) -> InvalidValueError:
    return InvalidValueError(
        f"What was admissible is not known: at turn {number}, this version of the environment "
        f"{difference}, with these settings"
    )
