"""Interfaces at work, on a small world."""

from dataclasses import replace
from typing import Any

import pytest
from toy_world import CorridorWorld

from agentgym_gen import Command, Interface, Scene, TextEnv
from agentgym_gen.interface import EpisodeInterface
from agentgym_gen.world import Malformed, Message, MessageFact, Surface, VerbName

TASK = "corridor/easy/train/3"


def start(interface: str | dict[str, Any]) -> tuple[TextEnv, str]:
    """Return an environment at its first observation."""
    env = TextEnv("toy_world:CorridorWorld", tier="easy", interface=interface)
    observation, _ = env.reset(options={"task_id": TASK})
    return env, observation


def test_native_shows_the_world_as_it_is() -> None:
    """Nothing is added and nothing is changed."""
    env, observation = start("native")

    assert observation == "You are at door 1. Goal: to open door 2."
    assert env.instruction == "You can walk to [door], open [door]."


def test_a_renamed_verb_is_renamed_wherever_it_is_said() -> None:
    """Observation, instruction, goal and list agree, and none has the old verb."""
    env, observation = start("symbols")
    said = [observation, env.instruction, *env.admissible_actions]
    verb = env.write(env.world.expert_plan()[-1]).split()[0]  # type: ignore[index]

    assert f"Goal: to {verb} door 2." in observation
    assert not any("open" in text or "walk" in text for text in said)


def test_an_old_verb_is_refused_in_the_worlds_own_words() -> None:
    """The state is unchanged."""
    env, _ = start("synonyms")
    observation, _, _, _, info = env.step("walk to door 2")

    assert observation == "Nothing happens."
    assert not info["valid_action"]


def test_a_foreign_syntax_says_why_it_refuses() -> None:
    """The reason is in the observation."""
    env, _ = start("json")

    assert env.step("wait")[0] == "Nothing happens.\n(Not understood: it is not one JSON object.)"


def test_renamed_things_are_consistent_and_their_old_names_refused() -> None:
    """One bijection serves observation, list and action."""
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
    """Always, at the reset only, or never."""
    env, first = start({"listing": listing})
    second = env.step("wait")[0]

    assert ["Available actions:\n- " in text for text in (first, second)] == turns


def test_a_menu_numbers_what_can_be_done() -> None:
    """The number does what the line says."""
    env, observation = start("menu")

    assert "\n1. walk to door 2\n" in observation
    assert env.step("1")[0].startswith("You are at door 2.")


def test_the_forms_write_facts() -> None:
    """As JSON and as terse lines."""
    assert start("data")[1] == '{"at": "door 1", "goal": "open door 2"}'
    assert start("terse")[1] == "at: door 1\ngoal: open door 2"


def test_distractors_add_lines_that_differ_by_turn() -> None:
    """Three lines, drawn anew every turn from the task's stream."""
    env, first = start("distracted")
    again = start("distracted")[1]
    second = env.step("wait")[0]

    assert first == again
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
    """In the world's words, not at all, or with the reason."""
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
def test_a_refusal_follows_the_form(interface: str, answer: str) -> None:
    """As every other observation does."""
    env, _ = start(interface)

    assert env.step("fly")[0] == answer


def test_a_scene_without_facts_is_shown_as_its_result() -> None:
    """An explained refusal has its reason as a note."""
    env, _ = start("data+explained")
    env.world._scene = lambda text: Scene((text,))  # type: ignore[attr-defined]
    told = '{"result": "Nothing happens.", "note": "Not done: there is no such door here"}'

    assert env.step("open door 9")[0] == told


def test_a_verb_at_the_start_of_a_sentence_has_a_capital() -> None:
    """In the words of the dialect."""
    env, _ = start("symbols")
    word = env.write(Command("wait"))

    assert env.render_message((VerbName("wait", capital=True), ".")) == f"{word.capitalize()}."


def test_native_prose_may_spell_a_verb_in_its_own_way() -> None:
    """Other wordings say the verb's phrase."""
    told = [
        start(wording)[0].render_message((VerbName("wait", native="waiting"),))
        for wording in ("native", "synonyms")
    ]

    assert told[0] == "waiting"
    assert told[1] in ("rest", "idle")


def test_a_message_may_be_one_fact() -> None:
    """Its verbs are said in the words of the dialect."""
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
    """Other syntaxes have lines, one for each action."""

    class Listing(CorridorWorld):
        def surface(self) -> Surface:
            return Surface(list_actions=lambda actions: f"<{'|'.join(actions)}>")

    env = TextEnv(Listing(), interface=interface)
    observation, _ = env.reset(options={"task_id": "corridor/easy/train/0"})

    assert observation.endswith(end)


def test_no_spelling_hides_an_old_name() -> None:
    """Names are looked for in arguments as the world takes them, and passed on like that."""

    class Hyphenated(CorridorWorld):
        def surface(self) -> Surface:
            return replace(super().surface(), canonical_argument=lambda text: text.replace("-", ""))

    env = TextEnv(Hyphenated(), tier="easy", interface="renamed")
    observation, _ = env.reset(options={"task_id": TASK})
    word = observation.split(" 1.")[0].split()[-1]

    assert not env.step("walk to d-oor 2")[4]["valid_action"]
    assert env.step(f"walk to {word[:2]}-{word[2:]} 2")[4]["valid_action"]


def test_all_axes_at_once_compose() -> None:
    """The expert wins through an interface that changes everything."""
    everything = Interface(
        "symbols", "json", "always", "json", "renamed", distractors=2, feedback="explained"
    )
    env = TextEnv("toy_world:CorridorWorld", tier="hard", split="test", interface=everything)
    env.reset(options={"task_id": "corridor/hard/test/1"})
    over = False
    while not over:
        _, _, over, truncated, info = env.step(env.expert_action() or "")
        assert not truncated

    assert info["success"]


def test_an_argument_of_json_is_called_like_the_thing() -> None:
    """No field gives a native name away."""
    env, observation = start("renamed+json+terse")
    word = observation.split("\n")[0].removeprefix("at: ").removesuffix(" 1")

    assert f'"arguments": {{"{word}": "{word} 2"}}' in observation
    assert env.step(f'{{"action": "walk to", "arguments": {{"{word}": "{word} 2"}}}}')[4][
        "valid_action"
    ]


def test_what_a_player_said_is_repeated_as_it_was_said() -> None:
    """Else nonsense would be a dictionary of the new names; the rest of an answer is renamed."""

    class Parrot(CorridorWorld):
        def invalid_reply(self, malformed: Malformed) -> Message:
            return (f"At the door: what does {malformed.text} mean?",)

    class Deaf(CorridorWorld):
        def invalid_reply(self, malformed: Malformed) -> Message:
            return ("At the door: what?",)

    def answer(world: CorridorWorld) -> tuple[str, str]:
        env = TextEnv(world, interface="renamed")
        env.reset(options={"task_id": TASK})
        return env.render_message("door"), env.step("door 2, please")[0]

    word, repeated = answer(Parrot())
    assert repeated == f"At the {word}: what does door 2, please mean?"
    assert answer(Deaf())[1] == f"At the {word}: what?"
