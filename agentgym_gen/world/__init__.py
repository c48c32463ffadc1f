"""The contract of an environment: worlds, tasks, and the records that a world takes and returns.

What lives here: `World` and what its methods take and return, tasks and their ids, lists of tasks,
the templates of verbs, and the sentences of the ``distractors`` axis. What does not: the seven
environments (`agentgym_gen.envs`), and how a world is shown to a model (`agentgym_gen.interface`).
"""

from agentgym_gen.ids import TIERS
from agentgym_gen.world.copying import SharedData, copy_sharing
from agentgym_gen.world.messages import (
    LIST_HEADER,
    AsciiGrid,
    Command,
    Message,
    MessageFact,
    Piece,
    VerbName,
    bulleted,
)
from agentgym_gen.world.surface import Surface, in_lower_case
from agentgym_gen.world.task import SPLITS, ContentT, Task, TaskId, Tasks
from agentgym_gen.world.template import literals
from agentgym_gen.world.verbs import (
    Malformed,
    Verb,
    list_entry,
    native_text,
    phrase_of,
    read_templates,
    slots_of,
    write_template,
)
from agentgym_gen.world.world import EndReason, Outcome, Scene, World

__all__ = [
    "LIST_HEADER",
    "SPLITS",
    "TIERS",
    "AsciiGrid",
    "Command",
    "ContentT",
    "EndReason",
    "Malformed",
    "Message",
    "MessageFact",
    "Outcome",
    "Piece",
    "Scene",
    "SharedData",
    "Surface",
    "Task",
    "TaskId",
    "Tasks",
    "Verb",
    "VerbName",
    "World",
    "bulleted",
    "copy_sharing",
    "in_lower_case",
    "list_entry",
    "literals",
    "native_text",
    "phrase_of",
    "read_templates",
    "slots_of",
    "write_template",
]
