"""The native texts of TextCraft: its verbs and its instruction."""

from __future__ import annotations

from agentgym_gen.world import Command, Message, Verb, VerbName

CRAFT = Verb(
    "craft",
    "craft {target} using {ingredients}",
    ("target object", "input ingredients"),
    (
        "assemble {target} from {ingredients}",
        "build {target} out of {ingredients}",
        "put together {target} with {ingredients}",
        "fashion {target} from {ingredients}",
    ),
)

GET = Verb(
    "get",
    "get {item}",
    ("item",),
    ("fetch {item}", "collect {item}", "gather {item}", "pick up {item}"),
)

INVENTORY = Verb(
    "inventory",
    "inventory",
    # Nouns, because the instruction also uses the verb as one: "from the inventory".
    synonyms=("belongings", "backpack", "possessions", "holdings"),
)

VERBS = (CRAFT, GET, INVENTORY)

_CRAFT, _GET, _INVENTORY = (VerbName(verb.name) for verb in VERBS)

INSTRUCTION: Message = (
    *("You are given few useful crafting recipes to ", _CRAFT, " items in Minecraft. "),
    *('Crafting commands are of the format "', CRAFT.usage, '".\n'),
    "Every round I will give you an observation, you have to respond an action based on the ",
    *('state and instruction. You can "', _GET, '" an object (ingredients) from the ', _INVENTORY),
    *(" or the environment, look-up the game ", _INVENTORY, ' by "', _INVENTORY, '", '),
    *('or "', _CRAFT, '" (target) using any of the crafting commands.\n'),
    "\nReminder: \n",
    *('1. Always specify the quantity when using "', _GET, '" and "', _CRAFT, '" commands. '),
    *("- Example of ", _GET, ": ", Command("get", ("1 lapis lazuli",)), " "),
    *("- Example1 of ", _CRAFT, ": ", Command("craft", ("1 blue dye", "1 lapis lazuli")), " "),
    *("- Example2 of ", _CRAFT, ": "),
    *(Command("craft", ("1 golden carrot", "8 gold nugget, 1 carrot")), "\n"),
    *('2. When using "', _GET, '" command, do not specify whether the item comes from the '),
    *(_INVENTORY, " or the environment.\n"),
    "3. You can use ONLY crafting commands provided, do not use your own crafting commands. ",
    'However, if the crafting command uses a generic ingredient like "planks", you can use ',
    'special types of the same ingredient e.g. "dark oak planks" in the command instead.',
)
"""AgentGym's instruction to the letter, without the format of the answer, which is the prompt's."""

INSTRUCTION_WORDS = ("target",)
"""Items whose names are ordinary words of the instruction; these are never renamed."""
