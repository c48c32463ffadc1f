"""The log-probabilities of the sampler are those of the scorer."""

import numpy as np
import pytest
import torch

from agentgym_gen import Registered, register
from agentgym_gen.agents.policy import Request
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream
from agentgym_gen.trainers.algorithm.scoring import action_logp
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.packing.micro_batches import Sample, pack
from agentgym_gen.trainers.sampling.model_policy import ModelPolicy, invert_cdf

ENV = "rftgen/Corridor-medium-v0"
TEXTS = ["You are at door 1. Goal: to open door 4.", "walk to door 2", "It opens."]
GROWING = PromptStyle("action", instruction=False)
FRESH = PromptStyle("action", instruction=False, window=0)
WINDOW = PromptStyle("action", instruction=False, window=2)


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def episodes(number: int, samples: int = 1) -> list[Episode]:
    """Return short episodes of the first tasks."""
    tasks = [f"corridor/medium/train/{index}" for index in range(number)]
    options = {"max_turns": 5}
    return [Episode(ENV, task, sample, options) for task in tasks for sample in range(samples)]


def tiny(context: int = 512) -> tuple[object, object]:
    """Return a model of a few thousand random weights."""
    return build_tiny(TEXTS, size=TinySize(2, 32, 2, 300, context))


def play(
    style: PromptStyle, max_concurrent: int = 64, temperature: float = 1.0
) -> list[Trajectory]:
    """Play some episodes with random weights."""
    model, tokenizer = tiny()
    policy = ModelPolicy(model, tokenizer, temperature=temperature, max_new_tokens=6)
    return run(episodes(5, 2), policy, style=style, max_concurrent=max_concurrent)


@pytest.mark.parametrize("style", [GROWING, FRESH, WINDOW], ids=["growing", "fresh", "window"])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_the_sampler_and_the_scorer_agree(style: PromptStyle, temperature: float) -> None:
    """The log-probabilities are equal for episodes of different lengths that replace each other."""
    trajectories = play(style, 3, temperature)
    model, _ = tiny()
    samples = [Sample(sequence) for episode in trajectories for sequence in episode.sequences()]
    batches = pack(samples, 2000, 0)

    with torch.no_grad():
        gaps = [
            (action_logp(model, batch, temperature) - batch.old_logp_N).abs() for batch in batches
        ]

    assert (
        sum(len(gap) for gap in gaps)
        == sum(episode.action_tokens for episode in trajectories)
        > 100
    )
    assert float(torch.cat(gaps).max()) < 1e-4


@pytest.mark.parametrize("style", [GROWING, FRESH], ids=["growing", "fresh"])
def test_an_episode_does_not_depend_on_its_neighbours(style: PromptStyle) -> None:
    """Played one at a time, episodes have the same actions as played all at once."""
    together, alone = play(style, 64), play(style, 1)

    assert [episode.turns[-1].action for episode in together] == [
        episode.turns[-1].action for episode in alone
    ]
    assert [len(episode.sequences()) for episode in together] == [
        len(episode.sequences()) for episode in alone
    ]


def test_the_growing_sequence_is_the_chat_as_the_template_has_it() -> None:
    """The sequence is the sampled tokens with the text of the template between them."""
    model, tokenizer = tiny()
    policy = ModelPolicy(model, tokenizer, max_new_tokens=6)
    (episode,) = run(episodes(1), policy, style=GROWING)
    (sequence,) = episode.sequences()
    expected = ""
    for turn in episode.turns:
        expected += f"<|user|>{turn.observation}<|assistant|>"
        expected += tokenizer.decode(turn.completion.action_ids)
        expected += "<|end|>" if turn.completion.truncated else ""

    assert tokenizer.decode(sequence.ids) == expected.removesuffix("<|end|>") or (
        tokenizer.decode(sequence.ids) == expected
    )
    sampled = [token for turn in episode.turns for token in turn.completion.action_ids]
    marked = [t for t, acted in zip(sequence.ids, sequence.action_mask, strict=True) if acted]
    assert marked == sampled


@pytest.mark.parametrize("style", [GROWING, WINDOW], ids=["growing", "window"])
def test_an_episode_that_outgrows_its_context_is_truncated(style: PromptStyle) -> None:
    """It ends with ``context_limit`` after the turns that fit, and the others go on."""
    policy = ModelPolicy(*tiny(context=90 if style is GROWING else 46), max_new_tokens=6)
    trajectories = run(episodes(3), policy, style=style)

    reasons = [trajectory.end_reason for trajectory in trajectories]
    assert "context_limit" in reasons
    for trajectory in trajectories:
        assert all(turn.completion.action_ids for turn in trajectory.turns)
        assert 1 <= len(trajectory.turns) < 5 or trajectory.end_reason != "context_limit"
        assert all(len(sequence.ids) <= policy._limit for sequence in trajectory.sequences())


def test_a_first_prompt_that_does_not_fit_is_an_error() -> None:
    """The error says how many tokens it has, and nothing is played."""
    policy = ModelPolicy(*tiny(context=20), max_new_tokens=6)
    with pytest.raises(InvalidValueError, match=r"first prompt of an episode has \d+ tokens"):
        run(episodes(2), policy, style=GROWING)


def test_no_logits_are_kept_where_nothing_shares_them() -> None:
    """Where an episode is one growing sequence, the cache holds those of its contexts alone."""
    model, tokenizer = tiny()
    policy = ModelPolicy(model, tokenizer, max_new_tokens=6)
    played = run(episodes(3, 4), policy, style=GROWING)
    opening = {episode.turns[0].completion.context_ids for episode in played}
    assert len(policy._prefix_cache._logits._tensors) == len(opening)

    run(episodes(3, 4), policy, style=FRESH)
    assert len(policy._prefix_cache._logits._tensors) > 5 * len(opening)


def test_temperature_0_takes_the_most_probable_token() -> None:
    """Two episodes with different random streams have the same actions."""
    model, tokenizer = tiny()
    policy = ModelPolicy(model, tokenizer, temperature=0, max_new_tokens=3)
    first, second = run(episodes(1, 2), policy, style=GROWING)

    assert [t.action for t in first.turns] == [t.action for t in second.turns]


def test_invert_cdf_takes_the_token_that_holds_the_number() -> None:
    """The numbers fall into shares of 0.5, 0, 0.25 and 0.25."""
    logp = torch.tensor([0.5, 0.0, 0.25, 0.25]).log().repeat(5, 1)
    tokens = invert_cdf(logp, torch.tensor([0.0, 0.49, 0.51, 0.74, 0.99]))

    assert tokens.tolist() == [0, 0, 2, 2, 3]


def test_samples_have_the_probabilities_of_the_model() -> None:
    """Of a thousand samples, each frequency is within four standard errors."""
    logp = torch.tensor([0.6, 0.3, 0.1]).log().repeat(1000, 1)
    uniform = torch.tensor(np.random.default_rng(0).random(1000))
    counts = invert_cdf(logp, uniform).bincount(minlength=3) / 1000

    assert counts.tolist() == pytest.approx([0.6, 0.3, 0.1], abs=4 * 0.0155)


def test_a_first_prompt_that_does_not_fit_beside_others_is_truncated() -> None:
    """In whatever order they are asked, the others are played."""
    policy = ModelPolicy(*tiny(context=60), max_new_tokens=6)
    env = make_text_env(ENV, "train")
    texts = ["walk", "walk to door 2 " * 20]
    for order in (texts, texts[::-1]):
        requests = [
            Request(number, 0, ({"role": "user", "content": text},), GROWING, env, stream(text))
            for number, text in enumerate(order)
        ]
        policy._answered.clear()
        by_text = dict(zip(order, policy.act(requests), strict=True))

        assert [by_text[text].context_limit for text in texts] == [False, True]
