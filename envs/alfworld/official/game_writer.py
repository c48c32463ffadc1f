"""Writing a household as a game file that the original loads.

Every game file repeats the domain and the grammar. They are taken from the installed ``alfworld``:
they belong to its authors, and a game follows the rules of the version that loads it.
"""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from agentgym_gen.envs.alfworld.house import (
    OFFICIAL_TYPES,
    TREATMENT_STATES,
    TREATMENT_TRAITS,
    House,
)
from agentgym_gen.envs.alfworld.official.game_reader import STATES
from agentgym_gen.errors import missing_extra
from agentgym_gen.system.files import write_text

ID_AFFIXES = {
    "sinkbasin": ("sink", "_bar_sinkbasin"),
    "bathtubbasin": ("bathtub", "_bar_bathtubbasin"),
}
"""What stands before and after the number in the ids of these kinds, which are exceptions."""

ONE_OBJECT_GOAL = (
    "(exists (?r - receptacle) (exists (?o - object) (and {condition} (inReceptacle ?o ?r) "
    "(objectType ?o {thing}Type) (receptacleType ?r {place}Type))))"
)
TWO_OBJECTS_GOAL = (
    "(exists (?r - receptacle) (exists (?o1 - object) (and (objectType ?o1 {thing}Type) "
    "(receptacleType ?r {place}Type) (inReceptacle ?o1 ?r) (exists (?o2 - object) (and "
    "(not (= ?o1 ?o2)) (objectType ?o2 {thing}Type) (receptacleType ?r {place}Type) "
    "(inReceptacle ?o2 ?r))))))"
)
LAMP_GOAL = (
    "(exists (?ot - object ?r - receptacle ?a - agent ?l - location) (and "
    "(objectType ?ot {place}Type) (toggleable ?ot) (isToggled ?ot) (receptacleAtLocation ?r ?l) "
    "(atLocation ?a ?l) (inReceptacle ?ot ?r))) "
    "(exists (?o - object ?a - agent) (and (objectType ?o {thing}Type) (holds ?a ?o)))"
)


def write_game(house: House, folder: Path) -> Path:
    """Write *house* as ``game.tw-pddl``, with a ``traj_data.json``, and return the game's path.

    Raises:
        MissingExtraError: if ``alfworld`` is not installed.
        DataError: if the folder cannot be written.
    """
    text = game_text(house)
    write_text(folder / "traj_data.json", json.dumps(trajectory_data(house)))
    path = folder / "game.tw-pddl"
    write_text(path, text)
    return path


def game_text(house: House) -> str:
    """Return *house* as the text of a ``game.tw-pddl``.

    Raises:
        MissingExtraError: if ``alfworld`` is not installed.
    """
    data = original_data_folder()
    grammar = (data / "alfred.twl2").read_text(encoding="utf-8")
    game = {
        "pddl_domain": (data / "alfred.pddl").read_text(encoding="utf-8"),
        "grammar": grammar.replace("UNKNOWN GOAL.", house.task),
        "pddl_problem": pddl_problem(house),
        "solvable": True,
        "walkthrough": None,
    }
    return json.dumps(game)


def original_data_folder() -> Path:
    """Return the data folder of the installed ``alfworld``, without importing it.

    Raises:
        MissingExtraError: if it is not installed.
    """
    spec = importlib.util.find_spec("alfworld")
    if spec is None or spec.origin is None:
        raise missing_extra("alfworld", "alfworld", "Writing game files")
    return Path(spec.origin).parent / "data"


def trajectory_data(house: House) -> dict[str, object]:
    """Return the content of ``traj_data.json``, which the original's expert reads."""
    goal = house.goal
    is_lamp_goal = goal.type == "look"
    return {
        "task_type": OFFICIAL_TYPES[goal.type],
        "pddl_params": {
            "object_target": goal.thing,
            "parent_target": "" if is_lamp_goal else goal.place,
            "toggle_target": goal.place if is_lamp_goal else "",
            "mrecep_target": "",
            "object_sliced": False,
        },
    }


def pddl_problem(house: House) -> str:
    """Return *house* as a PDDL problem, with ids to which the original gives our names."""
    ids = _ObjectIds(house)
    kinds = {thing.kind for thing in house.things} | {house.goal.thing}
    kinds |= {kind for _, kind in house.fits}
    receptacle_kinds = {receptacle.kind for receptacle in house.receptacles}
    objects = [
        "agent1 - agent",
        *(f"{kind}Type - otype" for kind in sorted(kinds)),
        *(f"{kind}Type - rtype" for kind in sorted(receptacle_kinds)),
        *(f"{thing} - object" for thing in ids.things),
        *(f"{receptacle} - receptacle" for receptacle in ids.receptacles),
        *(f"{place} - location" for place in sorted(ids.places.values())),
    ]
    lines = ["(define (problem generated)", "(:domain alfred)", "(:objects", *objects, ")"]
    lines += ["(:init", *(f"({fact})" for fact in _facts(house, ids)), ")"]
    return "\n".join([*lines, f"(:goal (and {_goal(house)}))", ")"]) + "\n"


class _ObjectIds:
    """The PDDL ids of everything in a household.

    Args:
        house: The household.
    """

    def __init__(self, house: House) -> None:
        places = {receptacle.place for receptacle in house.receptacles} | {house.start}
        places |= {place for thing in house.things for place in thing.places}
        self.receptacles = _ids_of(receptacle.name for receptacle in house.receptacles)
        self.things = _ids_of(thing.name for thing in house.things)
        self.places = dict(zip(sorted(places), _ids_of(sorted(places)), strict=True))


def _ids_of(names: Iterable[str]) -> list[str]:
    """Return an id for each of *names*, so that the original's numbering gives the names back.

    The original sorts the ids of a kind and numbers them downwards. So the highest number of a kind
    gets the id that sorts first.
    """
    parts = [name.rsplit(" ", 1) for name in names]
    highest = Counter(kind for kind, _ in parts)
    ids = []
    for kind, number in parts:
        before, after = ID_AFFIXES.get(kind, (kind, ""))
        ids.append(f"{before}_bar_{highest[kind] - int(number):03d}{after}")
    return ids


def _facts(house: House, ids: _ObjectIds) -> Iterator[str]:
    for kind, thing_kind in house.fits:
        yield f"canContain {kind}Type {thing_kind}Type"
    for object_id, receptacle in zip(ids.receptacles, house.receptacles, strict=True):
        yield f"receptacleType {object_id} {receptacle.kind}Type"
        yield f"receptacleAtLocation {object_id} {ids.places[receptacle.place]}"
        if receptacle.openable:
            yield f"openable {object_id}"
        if receptacle.opened:
            yield f"opened {object_id}"
    for object_id, thing in zip(ids.things, house.things, strict=True):
        yield f"objectType {object_id} {thing.kind}Type"
        yield from (f"inReceptacle {object_id} {ids.receptacles[n]}" for n in thing.inside)
        yield from (f"objectAtLocation {object_id} {ids.places[place]}" for place in thing.places)
        yield from (f"{trait} {object_id}" for trait in thing.traits)
        yield from (f"{STATES[state]} {object_id}" for state in thing.states)
        if thing.holds is not None:
            yield f"isReceptacleObject {object_id}"
    yield f"atLocation agent1 {ids.places[house.start]}"


def _goal(house: House) -> str:
    goal = house.goal
    template = {"look": LAMP_GOAL, "two": TWO_OBJECTS_GOAL}.get(goal.type, ONE_OBJECT_GOAL)
    condition = ""
    if goal.type in TREATMENT_STATES:
        state = TREATMENT_STATES[goal.type].capitalize()
        condition = f"({TREATMENT_TRAITS[goal.type]} ?o) (is{state} ?o)"
    return template.format(thing=goal.thing, place=goal.place, condition=condition)
