"""Functions as actions: each verb of an episode is one, in the words of its interface."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgym_gen import ExpertPolicy, PromptStyle, RandomPolicy, Session, make_text_env, run
from agentgym_gen.agents import Episode
from agentgym_gen.agents.completions.calls import read_call, write_call
from agentgym_gen.agents.completions.reader import read_completion
from agentgym_gen.agents.completions.strict import read_json_call
from agentgym_gen.agents.prompt import RULES, wrap_action
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import sample_task_ids
from agentgym_gen.env.registration import BUNDLED, ENVIRONMENTS
from agentgym_gen.ids import TIERS
from agentgym_gen.interface import PRESETS
from agentgym_gen.interface.syntax.functions import FunctionCall, verb_functions
from agentgym_gen.seeding import stream
from agentgym_gen.testing.interface_checks import sample_interfaces
from agentgym_gen.world import Malformed, Verb

TEXTCRAFT, TASK = "rftgen/TextCraft-easy-v0", "textcraft/easy/train/3"
FORMATS = ("functions", "function_calling")
NAMES = [environment.name for environment in BUNDLED]
COMPOSED = [str(interface) for interface in sample_interfaces(6, stream("functions"))]


def reset(env_id: str, task_id: str, interface: str = "native", **options: object) -> TextEnv:
    """Return an environment at the start of *task_id*."""
    split = task_id.split("/")[2]
    env = make_text_env(env_id, split, {"interface": interface, **options})
    env.reset(options={"task_id": task_id})
    return env


def check_walk(env: TextEnv) -> None:
    """Check the calls of every admissible action on the way of the expert."""
    schemas = env.functions.schemas
    limit, turn = 6, 0
    while not env.over and turn < limit:
        for action in env.admissible_actions:
            check_action(env, action)
        action = env.expert_action() or ""
        check_action(env, action)
        env.step(action)
        turn += 1
        assert env.over or env.functions.schemas == schemas


def check_action(env: TextEnv, action: str) -> None:
    """Check that *action* becomes a call of a function that there is, and the same action again."""
    call = env.functions.call(action)
    assert call is not None
    schemas = {tool["function"]["name"]: tool["function"] for tool in env.functions.schemas}
    parameters = schemas[call.name]["parameters"]
    assert set(parameters["required"]) <= set(call.arguments) <= set(parameters["properties"])
    assert env.read(action) == env.read(str(env.functions.action(call, "")))
    for form in FORMATS:
        style = PromptStyle(form)
        reading = read_completion(style, wrap_action(style, action, call=call), env)
        assert isinstance(reading.action, str)
        assert env.read(reading.action) == env.read(action)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interface", ["native", *PRESETS, *COMPOSED])
def test_every_action_is_a_call_and_back(name: str, interface: str) -> None:
    """Through every preset, and several axes at once, each action on the way is one call."""
    pytest.importorskip("minigrid") if name == "BabyAI" else None
    kwargs = ENVIRONMENTS[name].test_kwargs
    if ENVIRONMENTS[name].extra and name == "TextWorld":
        pytest.importorskip("textworld")
    for tier in TIERS if not kwargs else TIERS[:1]:
        env_id = f"rftgen/{name}-{tier}-v0"
        (task_id,) = sample_task_ids(env_id, "test", 1, stream(name), kwargs)
        check_walk(reset(env_id, task_id, interface, **kwargs))


@pytest.mark.parametrize("interface", ["native", "symbols+renamed+call", "menu", "json+data"])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("window", [None, 0, 2])
def test_the_expert_plays_by_calls(interface: str, form: str, window: int | None) -> None:
    """A rollout, a session and their messages work in the formats with functions."""
    style = PromptStyle(form, window=window)
    episodes = [
        Episode(f"rftgen/{name}-easy-v0", f"{name.lower()}/easy/train/{n}", options=options)
        for n, name in enumerate(["TextCraft", "Sokoban", "SearchQA", "WebShop", "ALFWorld"], 1)
        for options in [{"interface": interface}]
    ]
    played = run(episodes, ExpertPolicy(), style=style)

    assert all(trajectory.success for trajectory in played)
    assert sum(trajectory.invalid_turns for trajectory in played) == 0
    random = run(episodes[:2], RandomPolicy(), style=style)
    assert sum(trajectory.invalid_turns for trajectory in random) == 0


def test_functions_have_the_words_of_the_interface() -> None:
    """Renamed verbs are renamed functions, and renamed things have their names in them."""
    native, renamed = reset(TEXTCRAFT, TASK), reset(TEXTCRAFT, TASK, "symbols+vocabulary=1")
    names = [tool["function"]["name"] for tool in native.functions.schemas]
    new_names = [tool["function"]["name"] for tool in renamed.functions.schemas]

    assert names == ["craft", "get", "inventory"]
    assert not set(names) & set(new_names)
    door = reset("rftgen/ALFWorld-easy-v0", "alfworld/easy/train/1", "renamed")
    assert not [t for t in door.functions.schemas if "cd" in json.dumps(t).split()]
    assert isinstance(
        renamed.functions.action(FunctionCall("get", {"item": "1 a"}), "x"), Malformed
    )


def test_the_schema_is_json_schema() -> None:
    """Each argument is a text with a description, and all are required."""
    tool = reset(TEXTCRAFT, TASK).functions.schemas[0]

    assert tool == {
        "type": "function",
        "function": {
            "name": "craft",
            "description": "craft [target object] using [input ingredients]",
            "parameters": {
                "type": "object",
                "properties": {
                    "target": {"type": "string", "description": "target object"},
                    "ingredients": {"type": "string", "description": "input ingredients"},
                },
                "required": ["target", "ingredients"],
            },
        },
    }


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (("fly", {}), "there is no function 'fly'"),
        (("get", {}), "get takes exactly the arguments ['item']"),
        (("get", {"item": "1 a", "more": "b"}), "get takes exactly the arguments ['item']"),
        (("get", {"item": 3}), "its argument 'item' is no text of at least one character"),
        (("get", {"item": ""}), "its argument 'item' is no text of at least one character"),
        (("get", {"item": None}), "its argument 'item' is no text of at least one character"),
    ],
)
def test_a_wrong_call_is_refused_with_its_reason(
    call: tuple[str, dict[str, object]], reason: str
) -> None:
    """The observation says what is wrong with it, natively too, and the state is unchanged."""
    session = Session(TEXTCRAFT, TASK, style=PromptStyle("functions"))
    session.start()
    before = session.env.admissible_actions
    reply = session.reply(write_call(FunctionCall(*call)))

    assert f"(Not understood: {reason}.)" in reply.message["content"]
    assert not reply.info["valid_action"]
    assert session.env.admissible_actions == before


def test_a_call_whose_text_would_mean_another_is_refused() -> None:
    """``tuck a into b into c`` has two readings, and the wrong one would be carried out."""
    env = reset("rftgen/ALFWorld-easy-v0", "alfworld/easy/train/1", "synonyms+vocabulary=1")
    (put,) = (t["function"] for t in env.functions.schemas if t["function"]["name"] == "place")
    object_, receptacle = put["parameters"]["required"]
    between = put["description"].split("]")[1].split("[")[0]
    arguments = {object_: "a", receptacle: f"b{between}c"}
    action = env.functions.action(FunctionCall("place", arguments), "x")

    assert action == Malformed("x", "place cannot be carried out with such arguments")
    fine = env.functions.action(FunctionCall("place", {object_: "CD  1", receptacle: "b"}), "x")
    assert fine == f"place CD  1{between}b"


def test_a_call_with_an_old_name_is_refused_as_any_action() -> None:
    """What was renamed is refused by the world's own answer to nonsense."""
    env = reset(TEXTCRAFT, TASK, "renamed")
    session = Session(TEXTCRAFT, TASK, style=PromptStyle("functions"), env=env)
    session.start()
    reply = session.reply(write_call(FunctionCall("get", {"item": "8 diamond"})))

    assert not reply.info["valid_action"]
    assert "tool_calls" in session.messages[-2]


def test_an_answer_without_a_call_is_answered_by_the_user() -> None:
    """Only a call has the role ``tool`` behind it, with the id of the call."""
    session = Session(TEXTCRAFT, TASK, style=PromptStyle("functions"))
    session.start()
    session.reply("I think.")
    session.reply(write_call(FunctionCall("inventory", {}), "I look."))
    roles = [message["role"] for message in session.messages]

    assert roles == ["user", "assistant", "user", "assistant", "tool"]
    assert session.messages[3]["content"] == "I look."
    (call,) = session.messages[3]["tool_calls"]
    assert call["id"] == session.messages[4]["tool_call_id"] == "call00001"
    assert call["function"] == {"name": "inventory", "arguments": {}}
    assert session.reply("Hm.").message["role"] == "user"


@pytest.mark.parametrize("window", [None, 0])
def test_a_reply_is_the_observation_alone(window: int | None) -> None:
    """With a window too, the message of a reply has no rules and no earlier observation."""
    session = Session(TEXTCRAFT, TASK, style=PromptStyle("functions", window=window))
    session.start()
    reply = session.reply(write_call(FunctionCall("get", {"item": "8 diamond"})))

    expected = {"role": "tool", "content": "Got 8 diamond", "tool_call_id": "call00000"}
    assert reply.message == expected
    assert (session.messages[-1] == expected) == (window is None)


def test_only_the_format_functions_has_tools() -> None:
    """In AgentGym's format the functions stand in the prompt, in its words."""
    tools, texts = {}, {}
    for form in ("react", *FORMATS):
        session = Session(TEXTCRAFT, TASK, style=PromptStyle(form))
        texts[form] = session.start()[0]["content"]
        tools[form] = session.tools

    assert [form for form, functions in tools.items() if functions] == ["functions"]
    assert RULES["functions"] in texts["functions"]
    described = "\n".join(json.dumps(tool, indent=2) for tool in tools["functions"])
    prompt = f"You have the following functions available:\n\n{described}If you want to invoke"
    assert prompt in texts["function_calling"]


def test_the_rules_of_a_syntax_are_left_out() -> None:
    """A model that calls functions is not asked for JSON as well."""
    for form, has_rule in (("functions", False), ("action", True)):
        session = Session(TEXTCRAFT, TASK, style=PromptStyle(form), options={"interface": "json"})
        assert ("Write one JSON object" in session.start()[0]["content"]) == has_rule


def test_verbs_with_one_phrase_have_names_of_their_own() -> None:
    """Names are letters, digits and underscores, and no two verbs share one."""
    verbs = (Verb("a", "öffne {x}"), Verb("b", "go: up {x}"), Verb("c", "go up {x}"))
    templates = {verb.name: verb.template for verb in verbs}
    usages = {verb.name: verb.usage for verb in verbs}
    functions = verb_functions(verbs, templates, usages, templates, str)

    assert [functions[name].name for name in "abc"] == ["ffne", "go_up", "go_up_2"]
    assert functions["a"].properties == {"x": {"type": "string", "description": "x"}}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20), st.dictionaries(st.text(max_size=9), st.text(max_size=20)), st.text())
def test_any_call_is_written_and_read(name: str, arguments: dict[str, str], text: str) -> None:
    """A call is read back whatever it has in it, also the tags that stand around it."""
    for inserted in ("", "<tool_call>", "</tool_call>\n"):
        call = FunctionCall(name, {**arguments, "x": inserted})
        before = text.replace("<tool_call>", "").strip()

        assert read_call(write_call(call, before)) == (before, call)
        style = PromptStyle("function_calling")
        assert read_json_call(wrap_action(style, "", before, call)) == (before, call)
