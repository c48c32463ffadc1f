"""The contract of an environment: worlds, tasks, and the records that a world speaks in.

What lives here: `World` and what its methods take and return, tasks and their ids, lists of tasks,
the templates of verbs, and the sentences of the ``distractors`` axis. What does not: the seven
environments (`agentgym_gen.envs`), and how a world is shown to a model (`agentgym_gen.interface`).
"""

from agentgym_gen.world.task import SPLITS, TIERS, ContentT, Task, TaskId, Tasks
from agentgym_gen.world.world import (
    LIST_HEADER,
    Command,
    Drawing,
    EndReason,
    Malformed,
    Message,
    Outcome,
    Piece,
    Said,
    Scene,
    Verb,
    VerbName,
    World,
    bulleted,
    entry_of,
    native_text,
    phrase_of,
    read_templates,
    slots_of,
    write_template,
)

__all__ = [
    "LIST_HEADER",
    "SPLITS",
    "TIERS",
    "Command",
    "ContentT",
    "Drawing",
    "EndReason",
    "Malformed",
    "Message",
    "Outcome",
    "Piece",
    "Said",
    "Scene",
    "Task",
    "TaskId",
    "Tasks",
    "Verb",
    "VerbName",
    "World",
    "bulleted",
    "entry_of",
    "native_text",
    "phrase_of",
    "read_templates",
    "slots_of",
    "write_template",
]
