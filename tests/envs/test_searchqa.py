"""SearchQA: which text is which command, the answers, and what earns nothing."""

from collections.abc import Sequence

import pytest

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.searchqa import Passage, SearchQA
from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.testing import check_world
from agentgym_gen.world import Command, Malformed

WORLD = "agentgym_gen.envs.searchqa:SearchQA"
TASK = "searchqa/medium/test/4"

INSTRUCTION = (
    "Answer the given question. You must conduct reasoning inside <think> and </think> first every "
    "time you get new information. After reasoning, if you find you lack some knowledge, you can "
    "call a search engine by <search> query </search> and it will return the top searched results "
    "between <information> and </information>. You can search as many times as your want. If you "
    "find no further external knowledge needed, you can directly provide the answer inside "
    "<answer> and </answer>, without detailed illustrations. For example, "
    "<answer> Beijing </answer>."
)
INVALID = (
    "Your previous action is invalid. If you want to search, you should put the query between "
    "<search> and </search>. If you want to give the final answer, you should put the answer "
    "between <answer> and </answer>. Please try again."
)


class TwoPassages:
    """A retriever that finds the same two passages for every query."""

    def search(self, query: str, k: int) -> Sequence[Passage]:
        """Return at most *k* of two passages."""
        return [Passage("Lima", "Lima is in Peru."), Passage("Peru", "It is a country.")][:k]


def start(task: str = TASK, **options: object) -> TextEnv:
    """Return an environment that has started *task*."""
    _, tier, split, _ = task.split("/")
    env = TextEnv(WORLD, tier=tier, split=split, **options)  # type: ignore[arg-type]
    env.reset(options={"task_id": task})
    return env


def gold(env: TextEnv) -> str:
    """Return the answer of the current task."""
    return str(env.task.content.answers[0])


class TestWords:
    """The originals' texts, to the letter."""

    def test_instruction_is_search_r1s(self) -> None:
        """The instruction is Search-R1's prompt before the question."""
        assert start().instruction == INSTRUCTION

    def test_first_observation_is_the_question(self) -> None:
        """The first observation is the question after ``Question: ``, as in the prompt."""
        env = TextEnv(WORLD, tier="medium", split="test")
        observation, info = env.reset(options={"task_id": TASK})

        assert observation == f"Question: {info['goal']}"

    def test_passages_are_shown_as_in_search_r1(self) -> None:
        """Passages are numbered documents with their titles, between tags."""
        observation, *_ = start(retriever=TwoPassages()).step("<search>x</search>")

        assert observation == (
            "<information>Doc 1(Title: Lima) Lima is in Peru.\n"
            "Doc 2(Title: Peru) It is a country.</information>"
        )

    def test_k_passages_are_shown(self) -> None:
        """A search shows k passages."""
        observation, *_ = start(retriever=TwoPassages(), k=1).step("<search>x</search>")

        assert observation.count("Doc ") == 1

    def test_a_text_without_a_tag_is_invalid(self) -> None:
        """A text without a tag is answered in AgentGym's words and earns nothing."""
        observation, reward, over, _, info = start().step("It is Lima.")

        assert (observation, reward, over) == (INVALID, 0.0, False)
        assert not info["valid_action"]

    def test_success(self) -> None:
        """A right answer earns 1 and ends the episode."""
        env = start()
        observation, reward, over, _, info = env.step(f"<answer>{gold(env)}</answer>")

        assert observation == "Congratulations! You have answered the question correctly."
        assert (reward, over, info["success"], info["score"]) == (1.0, True, True, 1.0)

    def test_a_wrong_answer_ends_the_episode(self) -> None:
        """A wrong answer ends the episode, as in Search-R1."""
        observation, reward, over, _, info = start().step("<answer>nobody knows</answer>")

        assert observation == "Sorry, your answer is incorrect."
        assert (reward, over, info["end_reason"]) == (0.0, True, "failure")

    def test_a_wrong_answer_may_be_tried_again(self) -> None:
        """With ``answers="retry"`` the episode goes on after a wrong answer, as in AgentGym."""
        env = start(answers="retry")
        observation, _, over, *_ = env.step("<answer>nobody knows</answer>")

        assert (observation, over) == ("Sorry, your answer is incorrect. Please try again.", False)
        assert env.step(f"<answer>{gold(env)}</answer>")[1] == 1.0


class TestReading:
    """Which text is which command."""

    @pytest.mark.parametrize(
        ("text", "command"),
        [
            ("<search>lima</search>", Command("search", ("lima",))),
            ("<answer> Beijing </answer>", Command("answer", ("Beijing",))),
            ("<think>so</think>\n<search>a\nb</search> then", Command("search", ("a\nb",))),
            ("<search>q</search><answer>a</answer>", Command("search", ("q",))),
            ("<answer>a</answer><search>q</search>", Command("answer", ("a",))),
            ("<search> open <search>x", Malformed("", "")),
            ("<search>q</answer>", Malformed("", "")),
            ("<SEARCH>q</SEARCH>", Malformed("", "")),
            ("<search>  </search>", Malformed("", "")),
            ("<answer></answer>", Malformed("", "")),
            ("<answer><answer>a</answer></answer>", Malformed("", "")),
            ("<search><answer>a</answer></search>", Malformed("", "")),
            ("<answer>a</answer><answer>b</answer>", Malformed("", "")),
        ],
    )
    def test_first_pair_of_tags_acts(self, text: str, command: Command | Malformed) -> None:
        """The first pair acts, unless it is empty, holds a tag, or is one of two answers."""
        result = SearchQA().read(text)

        assert type(result) is type(command)
        assert isinstance(result, Malformed) or result == command


class TestAttacks:
    """Texts that contain the answer and earn nothing."""

    @pytest.mark.parametrize(
        "text",
        [
            "<answer>{gold}</answer><answer>x</answer>",
            "<answer>x</answer><answer>{gold}</answer>",
            "<answer><answer>{gold}</answer></answer>",
            "<search><answer>{gold}</answer></search>",
            "<answer>{gold} or x</answer>",
            "<answer>{gold}, {gold}</answer>",
            "<answer>{goal} {gold}</answer>",
            "{gold}",
            "<answer>{gold}",
            "<answer></answer>",
            "<answer>the</answer>",
            "<answer>{goal}</answer>",
        ],
    )
    def test_attack(self, text: str) -> None:
        """Two answers, a tag inside a tag, a list, an echo and an empty answer earn nothing."""
        env = start()
        action = text.format(gold=gold(env), goal=env.world.goal())

        assert env.step(action)[1] == 0.0

    @pytest.mark.parametrize("tier", ["easy", "medium", "hard"])
    def test_echo_of_the_prompt(self, tier: str) -> None:
        """An echo of the prompt is a search for the text of its first example."""
        env = start(f"searchqa/{tier}/test/0")
        observation, reward, over, _, info = env.step(env.instruction)

        assert (reward, over, info["valid_action"]) == (0.0, False, True)
        assert observation.startswith("<information>")

    @pytest.mark.parametrize("facts", ["real", "invented"])
    def test_no_question_gives_its_answer_away(self, facts: str) -> None:
        """No question contains an answer, except comparisons, which ask to choose."""
        tasks = SearchQA(facts=facts).tasks
        for tier in tasks.tiers:
            for index in range(0, tasks.size(tier, "test"), 7):
                question = tasks.make(tier, "test", index).content
                assert question.kind == "comparison" or not any(
                    answer.lower() in question.text.lower() for answer in question.answers
                )


class TestScore:
    """The score of an episode."""

    def test_hops_count(self) -> None:
        """The score counts every hop that is found, and the answer as one more."""
        env = start()
        progress = []
        for _ in range(3):
            _, _, _, _, info = env.step(env.expert_action() or "")
            progress.append((info["retrieved_hops"], info["hops"], round(info["score"], 3)))

        assert progress == [(1, 2, 0.333), (2, 2, 0.667), (2, 2, 1.0)]

    def test_other_scores_are_reported(self) -> None:
        """An answer with a word too many has the substring match, part of F1 and no reward."""
        env = start()
        _, reward, _, _, info = env.step(f"<answer>perhaps {gold(env)}</answer>")

        assert (reward, info["sub_em"]) == (0.0, 1.0)
        assert 0 < info["f1"] < 1

    def test_plan_skips_what_is_found(self) -> None:
        """After the first search of the expert, its plan has one search less."""
        env = start()
        before = env.world.expert_plan()
        env.step(env.expert_action() or "")

        assert env.world.expert_plan() == before[1:]


class TestNames:
    """The names axis."""

    def test_another_spelling_does_not_hide_an_old_name(self) -> None:
        """An old name is refused in capital and in small letters."""
        env = start(interface="renamed")
        name = next(name for name in env.world.surface().nouns() if name.upper() != name)
        for spelling in (name, name.upper(), name.lower()):
            *_, info = env.step(f"<search>{spelling}</search>")
            assert not info["valid_action"], spelling

    def test_names_of_the_chain_are_new(self) -> None:
        """No old name of the chain is in the question, the actions or the passages."""
        env = start(interface="renamed")
        texts = [env.render() or "", env.reset(options={"task_id": TASK})[0]]
        while action := env.expert_action():
            observation, _, over, *_ = env.step(action)
            texts += [action, observation]
            if over:
                break

        assert [
            name for name in env.world.surface().nouns() for text in texts if name in text.split()
        ] == []

    def test_a_rank_before_a_name_is_no_part_of_it(self) -> None:
        """Renamed with its rank, the answer would stand in no passage without it."""
        env = start("searchqa/hard/train/0", interface="renamed")
        for index in range(40):
            env.reset(options={"task_id": f"searchqa/hard/train/{index}"})
            passages = []
            while "answer" not in (action := env.expert_action() or "").split(">")[0]:
                passages.append(env.step(action)[0])
            answer = action.removeprefix("<answer>").removesuffix("</answer>")

            assert any(answer in text for text in [*passages, env.goal]), index


class TestOptions:
    """The options of the constructor."""

    @pytest.mark.parametrize("facts", ["real", "invented"])
    @pytest.mark.parametrize("answers", ["once", "retry"])
    @pytest.mark.slow
    def test_contract_holds_with_options(self, facts: str, answers: str) -> None:
        """The checks of the contract hold for invented names and for AgentGym's rule, too."""
        check_world(
            WORLD,
            tasks_per_split=1,
            compared_tasks=1,
            options={"facts": facts, "answers": answers, "k": 5},
        )

    @pytest.mark.parametrize("k", [0, 101, True, "3", 2.5])
    def test_bad_k(self, k: object) -> None:
        """A bad k is an error that says what is accepted."""
        with pytest.raises(InvalidValueError, match="`k` is 1 to 100"):
            SearchQA(k=k)  # type: ignore[arg-type]

    @pytest.mark.parametrize("options", [{"facts": "true"}, {"answers": "twice"}])
    def test_unknown_values(self, options: dict[str, str]) -> None:
        """An unknown value is an error that names the valid ones."""
        with pytest.raises(UnknownNameError, match="Known"):
            SearchQA(**options)  # type: ignore[arg-type]

    def test_invented_names_are_not_in_the_facts(self) -> None:
        """No real name is in a question or an answer with invented names."""
        real, invented = (SearchQA(facts=facts).tasks for facts in ("real", "invented"))
        for index in range(0, real.size("hard", "test"), 50):
            names = real.make("hard", "test", index).content.names
            question = invented.make("hard", "test", index).content
            assert not set(names) & {*question.names, *question.answers}
            assert not any(name in question.text.split() for name in names)
