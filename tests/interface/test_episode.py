"""What an interface changes in an episode of a small world."""

from dataclasses import replace
from typing import Any

import pytest
from toy_world import CorridorWorld

from agentgym_gen import Command, Interface, Scene, TextEnv
from agentgym_gen.interface import EpisodeInterface
from agentgym_gen.world import Malformed, Message, MessageFact, Surface, VerbName

TASK = "corridor/easy/train/3"


def start(interface: str | dict[str, Any]) -> tuple[TextEnv, str]:
    """Return the corridor through *interface* and its first observation."""
    env = TextEnv("toy_world:CorridorWorld", tier="easy", interface=interface)
    observation, _ = env.reset(options={"task_id": TASK})
    return env, observation


def test_native_shows_the_world_as_it_is() -> None:
    """The native interface adds nothing to the world's texts and changes nothing."""
    env, observation = start("native")

    assert observation == "You are at door 1. Goal: to open door 2."
    assert env.instruction == "You can walk to [door], open [door]."


def test_a_renamed_verb_is_renamed_everywhere() -> None:
    """Observation, instruction and list have the new verb, and none has the old one."""
    env, observation = start("symbols")
    texts = [observation, env.instruction, *env.admissible_actions]
    verb = env.write(env.world.expert_plan()[-1]).split()[0]  # type: ignore[index]

    assert f"Goal: to {verb} door 2." in observation
    assert not any("open" in text or "walk" in text for text in texts)


def test_an_old_verb_is_invalid() -> None:
    """An action with a verb's old name is invalid and answered in the world's own words."""
    env, _ = start("synonyms")
    observation, _, _, _, info = env.step("walk to door 2")

    assert observation == "Nothing happens."
    assert not info["valid_action"]


def test_a_syntax_of_ours_says_why_an_action_is_invalid() -> None:
    """Through the JSON syntax the answer to a sentence says what is wrong with it."""
    env, _ = start("json")

    assert env.step("wait")[0] == "Nothing happens.\n(Not understood: it is not one JSON object.)"


def test_renamed_things_are_consistent_and_their_old_names_invalid() -> None:
    """A thing has the same new name in observation and action, and its old name is invalid."""
    env, observation = start("renamed")
    word = observation.split(" 1.")[0].split()[-1]

    assert observation == f"You are at {word} 1. Goal: to open {word} 2."
    assert not env.step("walk to door 2")[4]["valid_action"]
    assert env.step(f"walk to {word} 2")[4]["valid_action"]


@pytest.mark.parametrize(
    ("listing", "turns"),
    [("always", [True, True]), ("first", [True, False]), ("never", [False] * 2)],
)
def test_the_listing_decides_when_actions_are_listed(listing: str, turns: list[bool]) -> None:
    """Actions are listed in every observation, at the reset only, or never."""
    env, first = start({"listing": listing})
    second = env.step("wait")[0]

    assert ["Available actions:\n- " in text for text in (first, second)] == turns


def test_a_menu_numbers_the_admissible_actions() -> None:
    """The number of a line of the menu does what the line says."""
    env, observation = start("menu")

    assert "\n1. walk to door 2\n" in observation
    assert env.step("1")[0].startswith("You are at door 2.")


def test_the_formats_write_facts() -> None:
    """The formats write a scene's facts as JSON and as terse lines."""
    assert start("data")[1] == '{"at": "door 1", "goal": "open door 2"}'
    assert start("terse")[1] == "at: door 1\ngoal: open door 2"


def test_distractors_add_lines_that_differ_by_turn() -> None:
    """Three lines are sampled for each turn, the same ones for the same task."""
    env, first = start("distracted")
    first_again = start("distracted")[1]
    second = env.step("wait")[0]

    assert first == first_again
    assert len(first.splitlines()) == 4
    assert first.splitlines()[1:] != second.splitlines()[1:]


@pytest.mark.parametrize(
    ("feedback", "answer"),
    [
        ("native", "Nothing happens."),
        ("silent", ""),
        ("explained", "Nothing happens.\n(Not done: there is no such door here.)"),
    ],
)
def test_feedback_decides_how_a_wrong_action_is_answered(feedback: str, answer: str) -> None:
    """An invalid action is answered in the world's words, not at all, or with the reason."""
    env, _ = start({"feedback": feedback})

    assert env.step("open door 9")[0] == answer


@pytest.mark.parametrize(
    ("interface", "answer"),
    [
        ("data", '{"result": "Nothing happens."}'),
        ("terse", "result: Nothing happens."),
        (
            "data+json",
            '{"result": "Nothing happens.", "note": "Not understood: it is not one JSON object"}',
        ),
        (
            "terse+explained",
            "result: Nothing happens.\nnote: Not understood: it is none of the known actions",
        ),
        ("data+silent", ""),
    ],
)
def test_the_answer_to_an_invalid_action_has_the_format(interface: str, answer: str) -> None:
    """The answer to an invalid action is in the format of every other observation."""
    env, _ = start(interface)

    assert env.step("fly")[0] == answer


def test_a_scene_without_facts_is_shown_as_its_result() -> None:
    """The text of a scene without facts is its ``result``, and a reason is a ``note``."""
    env, _ = start("data+explained")
    env.world._scene = lambda text: Scene((text,))  # type: ignore[attr-defined]
    answer = '{"result": "Nothing happens.", "note": "Not done: there is no such door here"}'

    assert env.step("open door 9")[0] == answer


def test_a_verb_at_the_start_of_a_sentence_has_a_capital() -> None:
    """A verb name with a capital is rendered with one, whatever the verb is called."""
    env, _ = start("symbols")
    word = env.write(Command("wait"))

    assert env.render_message((VerbName("wait", capital=True), ".")) == f"{word.capitalize()}."


def test_a_verb_name_may_have_a_native_spelling() -> None:
    """The native spelling of a verb name is used in native wording, and its phrase in others."""
    texts = [
        start(wording)[0].render_message((VerbName("wait", native="waiting"),))
        for wording in ("native", "synonyms")
    ]

    assert texts[0] == "waiting"
    assert texts[1] in ("rest", "idle")


def test_a_message_may_be_one_fact() -> None:
    """The verbs in a fact that is a message are renamed."""
    env, _ = start("symbols+data")
    fact = MessageFact(("first ", VerbName("wait"), ", then run"))
    word = env.write(Command("wait"))
    rendered = EpisodeInterface(env.interface, env.world, env.task.id).show(
        Scene((), {"goal": fact}), (), 1
    )

    assert rendered == f'{{"goal": "first {word}, then run"}}'


@pytest.mark.parametrize(
    ("interface", "end"),
    [
        ("listed", "<walk to door 2|open door 1|wait>"),
        ("listed+symbols", ">"),
        ("listed+call", '\n- walk_to("door 2")\n- open("door 1")\n- wait()'),
        ("menu", "\n1. walk to door 2\n2. open door 1\n3. wait"),
    ],
)
def test_a_world_prints_its_own_list_where_actions_are_sentences(interface: str, end: str) -> None:
    """A world's own list is printed in the native syntax; other syntaxes have a line an action."""

    class Listing(CorridorWorld):
        def surface(self) -> Surface:
            return Surface(list_actions=lambda actions: f"<{'|'.join(actions)}>")

    env = TextEnv(Listing(), interface=interface)
    observation, _ = env.reset(options={"task_id": "corridor/easy/train/0"})

    assert observation.endswith(end)


def test_no_spelling_hides_an_old_name() -> None:
    """An old name is invalid, and a new one valid, in any spelling that the world accepts."""

    class Hyphenated(CorridorWorld):
        def surface(self) -> Surface:
            return replace(super().surface(), canonical_argument=lambda text: text.replace("-", ""))

    env = TextEnv(Hyphenated(), tier="easy", interface="renamed")
    observation, _ = env.reset(options={"task_id": TASK})
    word = observation.split(" 1.")[0].split()[-1]

    assert not env.step("walk to d-oor 2")[4]["valid_action"]
    assert env.step(f"walk to {word[:2]}-{word[2:]} 2")[4]["valid_action"]


def test_all_axes_at_once_compose() -> None:
    """The expert succeeds through an interface that changes every axis."""
    everything = Interface(
        "symbols", "json", "always", "json", "renamed", distractors=2, feedback="explained"
    )
    env = TextEnv("toy_world:CorridorWorld", tier="hard", split="test", interface=everything)
    env.reset(options={"task_id": "corridor/hard/test/1"})
    terminated = False
    while not terminated:
        _, _, terminated, truncated, info = env.step(env.expert_action() or "")
        assert not truncated

    assert info["success"]


def test_the_fields_of_json_actions_are_renamed() -> None:
    """The field of a JSON action that is called like a thing has the thing's new name."""
    env, observation = start("renamed+json+terse")
    word = observation.split("\n")[0].removeprefix("at: ").removesuffix(" 1")

    assert f'"arguments": {{"{word}": "{word} 2"}}' in observation
    assert env.step(f'{{"action": "walk to", "arguments": {{"{word}": "{word} 2"}}}}')[4][
        "valid_action"
    ]


def test_the_players_own_text_is_repeated_unchanged() -> None:
    """In an answer the player's text keeps its words, and the rest of the answer is renamed.

    Otherwise a player could look up the new names of things by talking nonsense.
    """

    class Repeating(CorridorWorld):
        def invalid_reply(self, malformed: Malformed) -> Message:
            return (f"At the door: what does {malformed.text} mean?",)

    class Asking(CorridorWorld):
        def invalid_reply(self, malformed: Malformed) -> Message:
            return ("At the door: what?",)

    def answer(world: CorridorWorld) -> tuple[str, str]:
        env = TextEnv(world, interface="renamed")
        env.reset(options={"task_id": TASK})
        return env.render_message("door"), env.step("door 2, please")[0]

    word, observation = answer(Repeating())
    assert observation == f"At the {word}: what does door 2, please mean?"
    assert answer(Asking())[1] == f"At the {word}: what?"
