"""Reading the original's game files: the ``.tw-pddl`` JSON and the PDDL problem in it.

Only the problem and the sentence of the task are read. The domain and the rest of the grammar are
the same in every game; `game` and `wording` follow them.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from agentgym_gen.envs.alfworld.house import Goal, House, Receptacle, Thing, room_of
from agentgym_gen.errors import InvalidValueError

Facts = dict[str, list[list[str]]]
"""The arguments of every fact, by predicate."""

TRAITS = ("cleanable", "coolable", "heatable", "pickupable", "sliceable", "toggleable")
"""The PDDL predicates for what can be done with a thing."""

STATES = {
    "clean": "isclean",
    "cool": "iscool",
    "hot": "ishot",
    "on": "istoggled",
    "sliced": "issliced",
}
"""The PDDL predicate for every state of a thing."""

GOALS = {"isclean": "clean", "ishot": "heat", "iscool": "cool"}
"""The task type of a goal with such a predicate."""

TASK_SENTENCE = re.compile(r'(?<=Your task is to: )(.*?)(?=")', re.DOTALL)
"""The sentence of the task in the grammar of a game file."""

_TOKEN = re.compile(r"[()]|[^\s()]+")
_COMMENT = re.compile(r";[^\n]*")
_SIGN_WORDS = {"_minus_": "-", "_plus_": "+", "_dot_": ".", "_comma_": ","}


def read_game(text: str) -> House:
    """Return the household of a game file with the content *text*, of any version.

    Raises:
        InvalidValueError: if it is not such a file, with what is missing.
    """
    try:
        data = json.loads(text)
        problem, grammar = data["pddl_problem"], data["grammar"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidValueError(f"it is no JSON object with `pddl_problem`: {error!r}") from error
    if not (isinstance(problem, str) and isinstance(grammar, str)):
        raise InvalidValueError("its `pddl_problem` and its `grammar` have to be texts")
    sentence = TASK_SENTENCE.search(grammar)
    if sentence is None:
        raise InvalidValueError("its grammar has no 'Your task is to: '")
    try:
        f"{problem}{sentence[1]}".encode()  # raises for half a surrogate pair: no file can hold it
        return read_problem(problem, sentence[1].strip())
    except InvalidValueError:
        raise
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise InvalidValueError(f"its PDDL problem is broken: {error!r}") from error


def read_problem(problem: str, task: str) -> House:
    """Return the household of the PDDL *problem*, whose task is worded as *task*.

    Raises:
        InvalidValueError: if the problem is broken.
    """
    sections = {part[0]: part for part in _parse(problem) if isinstance(part, list) and part}
    facts: Facts = defaultdict(list)
    for fact in sections.get(":init", [])[1:]:
        facts[fact[0]].append(list(fact[1:]))
    if not facts["atlocation"] or not facts["receptacleatlocation"]:
        raise InvalidValueError("its PDDL problem does not say where the agent and things are")
    goal = _goal(list(_predicates(sections.get(":goal", []))))
    names = original_names({word for rows in facts.values() for args in rows for word in args})
    start = names[facts["atlocation"][0][1]]
    receptacles = _receptacles(facts, names)
    things = _things(facts, names)
    kinds = {receptacle.kind for receptacle in receptacles}
    portable = {thing.kind for thing in things if "pickupable" in thing.traits}
    pairs = {(_kind(receptacle), _kind(thing)) for receptacle, thing in facts["cancontain"]}
    fits = tuple(sorted(pair for pair in pairs if pair[0] in kinds and pair[1] in portable))
    return House(room_of(kinds), task, goal, start, receptacles, things, fits)


def original_names(ids: set[str]) -> dict[str, str]:
    """Return the name that the original gives each of *ids*.

    The ids of a kind are sorted and numbered downwards: the first one has the highest number.

    >>> sorted(original_names({"mug_bar_a", "mug_bar_b"}).items())
    [('mug_bar_a', 'mug 2'), ('mug_bar_b', 'mug 1')]
    """
    kinds = {object_id: _base_name(object_id) for object_id in ids}
    next_number = Counter(kinds.values())
    names = {}
    for object_id in sorted(ids):
        kind = kinds[object_id]
        if "_bar_" in object_id:
            names[object_id] = f"{kind} {next_number[kind]}"
            next_number[kind] -= 1
        else:
            names[object_id] = kind
    return names


def _base_name(object_id: str) -> str:
    base, bar, _ = object_id.partition("_bar_")
    if bar:
        return base + ("basin" if "basin" in object_id else "")
    for word, sign in _SIGN_WORDS.items():
        object_id = object_id.replace(word, sign)
    return f"{object_id} "  # as in the original, where a name without a number keeps the space


def _parse(text: str) -> list[list[str]]:
    """Return the outermost list of *text*, each part of which is a word or a list of such parts."""
    stack: list[list[object]] = [[]]
    for token in _TOKEN.findall(_COMMENT.sub("", text).lower()):
        if token == "(":
            stack.append([])
        elif token != ")":
            stack[-1].append(token)
        elif len(stack) > 1:
            closed = stack.pop()
            stack[-1].append(closed)
    if len(stack) != 1 or not isinstance(stack[0][:1] and stack[0][0], list):
        raise InvalidValueError("the brackets of its PDDL problem do not match")
    return stack[0][0]  # type: ignore[return-value]  # shown to be a list just above


def _predicates(part: object) -> Iterator[list[str]]:
    """Yield every list in *part* that holds nothing but words."""
    if isinstance(part, list):
        if all(isinstance(word, str) for word in part):
            yield part
        for inner in part:
            yield from _predicates(inner)


def _goal(predicates: list[list[str]]) -> Goal:
    """Return the goal that *predicates* describe, in any of the original's six patterns."""
    names = {words[0] for words in predicates if words}
    things = [_kind(words[2]) for words in predicates if words[:1] == ["objecttype"]]
    places = [_kind(words[2]) for words in predicates if words[:1] == ["receptacletype"]]
    if "istoggled" in names and len(things) == 2:
        lamp = next((kind for kind in things if "lamp" in kind), things[0])
        return Goal("look", next(kind for kind in things if kind != lamp), lamp)
    if not things or not places:
        raise InvalidValueError("its goal names no kind of object or of receptacle")
    task_type = next((short for word, short in GOALS.items() if word in names), "pick")
    return Goal("two" if len(things) == 2 else task_type, things[0], places[0])


def _kind(word: str) -> str:
    return word.removesuffix("type")


def _as_dict(facts: list[list[str]]) -> dict[str, str]:
    return {key: value for key, value in facts}  # noqa: C416  (dict() wants tuples)


def _receptacles(facts: Facts, names: dict[str, str]) -> tuple[Receptacle, ...]:
    kinds = {key: _kind(kind) for key, kind in facts["receptacletype"]}
    openable = {key for (key,) in facts["openable"]}
    opened = {key for (key,) in facts["opened"]}
    return tuple(
        Receptacle(names[key], kinds.get(key, ""), names[place], key in openable, key in opened)
        for key, place in sorted(_as_dict(facts["receptacleatlocation"]).items())
    )


def _things(facts: Facts, names: dict[str, str]) -> tuple[Thing, ...]:
    """Return what lies somewhere or can be sliced; the texts never mention windows and the like."""
    order = {key: i for i, key in enumerate(sorted(_as_dict(facts["receptacleatlocation"])))}
    kinds = {key: _kind(kind) for key, kind in facts["objecttype"]}
    inside: dict[str, set[int]] = defaultdict(set)
    places: dict[str, set[str]] = defaultdict(set)
    contents: dict[str, set[str]] = defaultdict(set)
    for key, receptacle in facts["inreceptacle"]:
        if receptacle in order:
            inside[key].add(order[receptacle])
    for key, place in facts["objectatlocation"]:
        places[key].add(names[place])
    for key, container in facts["inreceptacleobject"]:
        contents[container].add(key)
    traits = {trait: {key for (key,) in facts[trait]} for trait in TRAITS}
    states = {state: {key for (key,) in facts[word]} for state, word in STATES.items()}
    containers = {key for (key,) in facts["isreceptacleobject"]}
    return tuple(
        Thing(
            name=names[key],
            kind=kinds.get(key, ""),
            traits=tuple(trait for trait in TRAITS if key in traits[trait]),
            inside=tuple(sorted(inside[key])),
            places=tuple(sorted(places[key])),
            holds=tuple(names[part] for part in sorted(contents[key]))
            if key in containers
            else None,
            states=tuple(state for state in STATES if key in states[state]),
        )
        for key in sorted({*inside, *traits["sliceable"]})
    )
