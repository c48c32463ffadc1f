"""Worlds of BabyAI by level and seed, for the tests of BabyAI."""

from agentgym_gen.envs.babyai import BabyAI
from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.tasks import Quest
from agentgym_gen.world import (
    Command,
    Malformed,
    Message,
    Outcome,
    Task,
    TaskId,
    VerbName,
    phrase_of,
    write_template,
)


def quest(level: str, seed: int) -> Task[Quest]:
    """Return what minigrid draws for *level* and *seed*, whether it is solved or not."""
    game = backend.load("game").Game(level, seed)
    content = Quest(game.drawing(), game.env.mission, level, seed, (), 0)
    return Task(TaskId("babyai", "easy", "train", "0"), content)


def world_of(level: str, seed: int, wording: str = "agentgym", compat: str = "fixed") -> BabyAI:
    """Return a world that plays *level* with *seed*."""
    world = BabyAI(wording, compat)
    world.reset(quest(level, seed))
    return world


def text_of(world: BabyAI, message: Message | str) -> str:
    """Return *message* in native words."""
    templates = {verb.name: verb.template for verb in world.verbs}
    said = ""
    for piece in (message,) if isinstance(message, str) else message:
        if isinstance(piece, Command):
            said += write_template(templates[piece.verb], piece.args)
        elif isinstance(piece, VerbName):
            said += piece.native or phrase_of(templates[piece.verb])
        else:
            said += piece
    return said


def say(world: BabyAI, text: str) -> Outcome:
    """Return what the command *text* does."""
    command = world.read(text)
    assert not isinstance(command, Malformed), command
    return world.step(command)


def told(world: BabyAI, text: str) -> str:
    """Return what is answered to the command *text*."""
    return text_of(world, say(world, text).scene.message)


def listed(world: BabyAI) -> list[str]:
    """Return the admissible commands as texts."""
    return [text_of(world, (command,)) for command in world.admissible()]
