"""Another wording is read by the rules of the native one, and old names stay refused."""

import pytest

from agentgym_gen import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.world import Command, Malformed

ALFWORLD, BABYAI, SOKOBAN = "alfworld/easy/train/0", "babyai/easy/train/0", "sokoban/easy/train/0"
SEARCHQA, WEBSHOP = "searchqa/easy/train/0", "webshop/easy/train/0"
TEXTCRAFT = "textcraft/easy/train/0"
ENVIRONMENTS = {
    ALFWORLD: "rftgen/ALFWorld-easy-v0",
    BABYAI: "rftgen/BabyAI-easy-v0",
    SOKOBAN: "rftgen/Sokoban-easy-v0",
    SEARCHQA: "rftgen/SearchQA-easy-v0",
    WEBSHOP: "rftgen/WebShop-easy-v0",
    TEXTCRAFT: "rftgen/TextCraft-easy-v0",
}


def started(task_id: str, interface: str) -> TextEnv:
    """Return the environment of *task_id* through *interface*, at the beginning of the task."""
    env = make_text_env(ENVIRONMENTS[task_id], "train", {"interface": interface})
    env.reset(options={"task_id": task_id})
    return env


@pytest.mark.parametrize("wording", ["native", "synonyms", "symbols"])
@pytest.mark.parametrize(
    ("task_id", "around", "is_read"),
    [
        (SEARCHQA, "<think>I look it up.</think> {}", True),
        (SEARCHQA, "{} {}", True),
        (SEARCHQA, "search: {}", True),
        (SOKOBAN, "<answer>{}</answer>", True),
        (SOKOBAN, "<think>Away.</think><action>{}</action>", True),
        (SOKOBAN, "{} || {}", False),
        (TEXTCRAFT, '"{}"', True),
        (TEXTCRAFT, "- {}.", True),
        (TEXTCRAFT, "I {}", False),
        (BABYAI, "{}.", True),
        (BABYAI, '"{}"', True),
        (ALFWORLD, " {}\n", True),
        (ALFWORLD, "please {}", False),
        (WEBSHOP, "{} is what I want", True),
        (WEBSHOP, "I want {}", False),
    ],
)
def test_what_may_stand_around_an_action_depends_on_no_wording(
    task_id: str, around: str, is_read: bool, wording: str
) -> None:
    """What a world reads natively it reads in other words, and refuses what it refuses."""
    env = started(task_id, wording)
    action = env.admissible_actions[0].replace("[your query]", "tokyo")
    text = around.format(action, action)
    # one that the interface has not written itself, since those are looked up
    command = env.read(text)

    assert isinstance(command, Malformed) != is_read, text
    if is_read:
        assert command == env.read(action)


@pytest.mark.parametrize("wording", ["native", "synonyms", "symbols"])
@pytest.mark.parametrize("task_id", [ALFWORLD, TEXTCRAFT])
def test_a_capital_matters_where_it_does_natively(task_id: str, wording: str) -> None:
    """These originals read to the letter."""
    env = started(task_id, wording)
    action = env.admissible_actions[0]

    assert not isinstance(env.read(action), Malformed)
    assert isinstance(env.read(action.capitalize()), Malformed)


@pytest.mark.parametrize("wording", ["native", "synonyms", "symbols"])
def test_babyai_lists_its_actions_whatever_stands_around_the_words(wording: str) -> None:
    """As AgentGym does for every text with ``check`` in it."""
    env = started(BABYAI, wording)

    assert env.read(f"Please {env.admissible_actions[-1]} now.") == Command("check")


@pytest.mark.parametrize("wording", ["native", "synonyms", "symbols"])
def test_a_second_answer_is_refused_in_every_wording_of_searchqa(wording: str) -> None:
    """It would be a guess more."""
    env = started(SEARCHQA, wording)
    answers = [action for action in env.admissible_actions if "[short text]" in action]
    answer = answers[0].replace("[short text]", "Tokyo")

    assert not isinstance(env.read(answer), Malformed)
    assert isinstance(env.read(answer * 2), Malformed)


@pytest.mark.parametrize(
    ("interface", "text"),
    [
        ("native", "get {}"),
        ("json", '{{"action": "get", "arguments": {{"item": "{}"}}}}'),
        ("call", 'get("{}")'),
        ("synonyms+vocabulary=1", "fetch {}"),
        ("renamed", "get {}"),
    ],
)
@pytest.mark.parametrize("count", ["9.0", "-4", "0.5"])
def test_textcraft_takes_whole_numbers_through_every_interface(
    interface: str, text: str, count: str
) -> None:
    """Cleaned like other texts, 9.0 would be 90."""
    env = started(TEXTCRAFT, interface)
    native = make_text_env("rftgen/TextCraft-easy-v0", "train", {"interface": interface})
    native.reset(options={"task_id": "textcraft/easy/train/0"})
    item = next(a for a in native.admissible_actions if "1 " in a).partition("1 ")[2].rstrip(')"}')
    _, _, _, _, info = env.step(text.format(f"{count} {item}"))
    assert not info["valid_action"]
    _, _, _, _, info = env.step(text.format(f"1 {item}"))

    assert info["valid_action"]


@pytest.mark.parametrize(
    ("interface", "text"),
    [
        ("renamed+json", '{"action": "get", "arguments": {"item": "9.0 baked! potato"}}'),
        ("renamed+call", 'get("-9 baked. potato")'),
        ("renamed+synonyms+vocabulary=1", "fetch 9.0 baked! potato"),
        ("renamed+menu", "get 9.0 baked potato"),
        ("renamed", "get 9.0 baked_potato"),
    ],
)
def test_a_wrong_number_does_not_tell_the_new_name_of_a_thing(interface: str, text: str) -> None:
    """The answer repeats the player's own words, or says that there is no such thing."""
    env = started(TEXTCRAFT, interface)
    secret = env.unwrapped._current().shown.render("baked potato")  # type: ignore[attr-defined]
    observation, *_, info = env.step(text)

    assert secret != "baked potato"
    assert not info["valid_action"]
    assert secret not in observation.split("\n")[0]


@pytest.mark.parametrize("interface", ["json", "synonyms+vocabulary=1", "synonyms+renamed"])
def test_babyai_ignores_the_case_of_a_thing_through_every_interface(interface: str) -> None:
    """As AgentGym does."""
    env = started(BABYAI, interface)
    action = next(a for a in env.admissible_actions if a.rstrip('"}').endswith("1"))
    name = " ".join(action.rstrip('"}').split()[-3:]).rpartition('"')[2]
    _, _, _, _, info = env.step(action.replace(name, name.upper()))

    assert info["valid_action"], action


@pytest.mark.parametrize("interface", ["renamed", "renamed+json", "renamed+call"])
def test_blanks_do_not_bring_an_old_name_back_in_webshop(interface: str) -> None:
    """Two of them, a tab or one that does not break are a blank there."""
    task_id = "webshop/medium/test/0"
    native = make_text_env("rftgen/WebShop-medium-v0", "test")
    env = make_text_env("rftgen/WebShop-medium-v0", "test", {"interface": interface})
    for number in range(40):
        task_id = f"webshop/medium/test/{number}"
        for each in (native, env):
            each.reset(options={"task_id": task_id})
        old = [v for _, v in env.world._goal.options if " " in v and v in env.world._nouns()]
        if old:
            break
    while f"click[{old[0]}]" not in native.admissible_actions:
        native.step(native.expert_action())
        env.step(env.expert_action())
    for blank in (" ", "  ", "\t", "\u00a0"):
        click = {
            "renamed": "click[{}]",
            "renamed+json": '{{"action": "click", "arguments": {{"button": "{}"}}}}',
            "renamed+call": 'click("{}")',
        }[interface].format(old[0].replace(" ", blank))
        copy = env.clone()

        assert not copy.step(click)[4]["valid_action"], click


def test_a_renamed_button_with_the_old_verb_is_refused_in_any_spelling() -> None:
    """`back to search` is called otherwise where `search` is."""
    env = started(WEBSHOP, "synonyms+json+vocabulary=1")
    env.step(env.expert_action())
    for name in ("back to search", "back  to search", "Back to\tsearch"):
        text = f'{{"action": "press", "arguments": {{"button": "{name}"}}}}'

        assert not env.step(text)[4]["valid_action"]


@pytest.mark.parametrize("blank", [" ", "\n", "\t", "\u00a0", "   "])
def test_any_blank_stands_before_the_text_of_a_menu(blank: str) -> None:
    """A model may write the text on a line of its own."""
    env = started(SEARCHQA, "menu")

    assert env.read(f"1{blank}Tokyo") == env.read("1 Tokyo")
    call = env.functions.call(f"1{blank}Tokyo")
    assert call is not None
    assert call.arguments == {"number": 1, "text": "Tokyo"}


def test_a_long_observation_is_cut_before_the_list_of_a_menu() -> None:
    """Without the list nothing could be written."""
    env = make_text_env("rftgen/SearchQA-easy-v0?k=100", "train", {"interface": "menu"})
    env.reset(options={"task_id": SEARCHQA})
    observation, *_ = env.step("1 Japan city capital")

    assert len(observation) <= env.observation_space.max_length
    assert "... [cut]\nAvailable actions:\n1. " in observation
    assert observation.endswith("2. <answer>[short text]</answer>")
