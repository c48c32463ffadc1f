"""The levels of minigrid's BabyAI: their tiers and their names."""

from __future__ import annotations

import re
from collections.abc import Mapping

LEVELS: Mapping[str, tuple[str, ...]] = {
    "easy": (
        "GoToRedBallGrey",
        "GoToRedBall",
        "GoToObjS6",
        "GoToLocalS8N7",
        "PickupLoc",
        "OpenRedDoor",
        "PutNextLocalS6N4",
    ),
    "medium": (
        "OpenDoorLoc",
        "UnlockLocalDist",
        "PickupAbove",
        "ActionObjDoor",
        "FindObjS7",
        "BlockedUnlockPickup",
    ),
    "hard": (
        "GoToObjMazeS7",
        "Unlock",
        "KeyCorridorS6R3",
        "SynthSeq",
        "BossLevel",
    ),
}
"""The levels of each tier: one room and one instruction; a door, a key or several rooms; mazes and
sequences of instructions."""

AGENTGYM_LEVELS = (
    "GoToRedBallGrey",
    "GoToRedBall",
    "GoToRedBallNoDists",
    "GoToObjS6",
    "GoToLocalS8N7",
    "GoToObjMazeS7",
    "GoToImpUnlock",
    "GoToSeqS5R2",
    "GoToRedBlueBall",
    "GoToDoor",
    "GoToObjDoor",
    "Open",
    "OpenRedDoor",
    "OpenDoorLoc",
    "OpenRedBlueDoorsDebug",
    "OpenDoorsOrderN4Debug",
    "Pickup",
    "UnblockPickup",
    "PickupLoc",
    "PickupDistDebug",
    "PickupAbove",
    "PutNextLocalS6N4",
    "PutNextS7N4Carrying",
    "Unlock",
    "UnlockLocalDist",
    "KeyInBox",
    "UnlockPickupDist",
    "BlockedUnlockPickup",
    "UnlockToUnlock",
    "ActionObjDoor",
    "FindObjS7",
    "KeyCorridorS6R3",
    "OneRoomS20",
    "MoveTwoAcrossS8N9",
    "SynthS5R2",
    "SynthLoc",
    "SynthSeq",
    "MiniBossLevel",
    "BossLevel",
    "BossLevelNoUnlock",
)
"""The 40 levels of AgentGym, in the order of its item numbers."""

_LEVEL_NAME = re.compile(r"(?:BabyAI-)?(?P<name>.+?)(?:-v\d+)?")


def short_name(level: str) -> str:
    """Return the name of *level* without ``BabyAI-`` and version.

    >>> short_name("BabyAI-GoToObjS6-v1")
    'GoToObjS6'
    """
    match = _LEVEL_NAME.fullmatch(level)
    return match["name"] if match else level


def long_name(level: str) -> str:
    """Return the name of *level* as minigrid registers it, without the version."""
    return f"BabyAI-{short_name(level)}"


def tier_of(level: str, rooms: int) -> str:
    """Return the tier that plays *level*: that of the table, or one by the number of rooms.

    Args:
        level: The short name.
        rooms: How many rooms it has; one is easy, two or three are medium.
    """
    for tier, levels in LEVELS.items():
        if level in levels:
            return tier
    if rooms == 1:
        return "easy"
    return "medium" if rooms <= 3 else "hard"
