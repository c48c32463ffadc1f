"""What distractors speak of is nowhere in the world: each environment's own lines."""

import re
from collections.abc import Collection, Iterable

import numpy as np
import pytest

from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import BUNDLED, ENVIRONMENTS
from agentgym_gen.envs.alfworld.distractors import DISTRACTOR_KINDS
from agentgym_gen.envs.babyai.asides import ceiling_lines
from agentgym_gen.envs.babyai.mission import COLOURS
from agentgym_gen.envs.babyai.mission import KINDS as QUEST_KINDS
from agentgym_gen.envs.searchqa import SearchQA
from agentgym_gen.envs.searchqa.asides import leaflet_lines
from agentgym_gen.envs.sokoban.distractors import note_lines
from agentgym_gen.envs.textcraft.recipes import recipe_book
from agentgym_gen.envs.textcraft.wording import curio_lines
from agentgym_gen.envs.webshop import WebShop
from agentgym_gen.envs.webshop.asides import CATEGORIES, banner_lines
from agentgym_gen.world import phrase_of
from agentgym_gen.world.distractors import TRAITS, sample_evenly, shuffled
from agentgym_gen.world.surface import common_distractors

POOLS = {
    "BabyAI": ceiling_lines(),
    "SearchQA": leaflet_lines(),
    "Sokoban": note_lines(6),
    "TextCraft": curio_lines(),
    "WebShop": banner_lines(),
}


def named(words: Iterable[str], lines: Collection[str]) -> list[str]:
    """Return which of *words* stand in one of *lines*, in any case."""
    text = "\n".join(lines).lower()
    here = (word for word in map(str.lower, words) if word in text)
    return [word for word in here if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)]


@pytest.mark.parametrize("name", [one.name for one in BUNDLED if one.slow_tasks is None])
def test_every_line_is_fitting_and_of_the_recipe(name: str) -> None:
    """No world falls back on sentences that would fit anywhere; the amount is never short."""
    env = make_text_env(f"rftgen/{name}-easy-v0", "train")
    env.reset(seed=0)
    surface = env.world.surface()
    lines = surface.distractors(np.random.default_rng(0), 3 * surface.distractor_amount)

    assert surface.distractors is not common_distractors
    assert len(set(lines)) == len(lines) == 3 * surface.distractor_amount


@pytest.mark.parametrize("name", POOLS)
def test_no_two_lines_are_the_same(name: str) -> None:
    """And there are enough for an episode."""
    assert len(set(POOLS[name])) == len(POOLS[name]) > 300


@pytest.mark.parametrize("name", POOLS)
def test_no_line_names_a_verb(name: str) -> None:
    """Neither natively nor by a synonym, which the line would give away."""
    verbs = make_text_env(
        f"rftgen/{name}-easy-v0", "train", ENVIRONMENTS[name].test_kwargs
    ).world.verbs
    phrases = {
        phrase_of(template) for verb in verbs for template in (verb.template, *verb.synonyms)
    }

    assert named(phrases, POOLS[name]) == []


def test_webshops_banners_name_no_option_and_no_product() -> None:
    """Of any product of the shop."""
    shop = WebShop()._shop
    products = [shop[place] for place in range(len(shop))]
    values = {v for one in products for group in one.options.values() for v in group}

    assert named(values, POOLS["WebShop"]) == []
    assert named(CATEGORIES, [one.text for one in products]) == []


def test_webshop_has_the_three_kinds_of_the_recipe() -> None:
    """Advertisements, trivia and products that nobody sells."""
    kinds = {line.split("]")[0] + "]" for line in POOLS["WebShop"]}

    assert kinds == {"[AD]", "[TRIVIA]", "[SPONSORED]"}
    assert WebShop().surface().distractor_amount == 40 // 10


@pytest.mark.parametrize("facts", ["real", "invented"])
def test_searchqas_leaflets_name_nothing_of_the_questions(facts: str) -> None:
    """Neither an entity on the way nor an answer, in 100 questions of every tier and split."""
    tasks = SearchQA(facts=facts).tasks
    drawn = [
        tasks.make(tier, split, place * tasks.size(tier, split) // 100).content
        for tier in tasks.tiers
        for split in tasks.splits
        for place in range(100)
    ]
    names = {name for question in drawn for name in (*question.names, *question.answers)}

    assert len(names) > 500
    assert named(names, POOLS["SearchQA"]) == []


def test_textcrafts_curios_are_no_items() -> None:
    """Of any recipe or tag."""
    book = recipe_book()

    assert named({*book.items, *book.tags}, POOLS["TextCraft"]) == []


def test_babyais_things_are_none_of_its_kinds_and_colours() -> None:
    """Which are all that a mission speaks of."""
    assert named((*COLOURS, *QUEST_KINDS), POOLS["BabyAI"]) == []


def test_the_numbers_of_the_recipe() -> None:
    """28 kinds of things, 19 descriptions."""
    assert len(set(DISTRACTOR_KINDS)) == 28
    assert len(set(TRAITS)) == 19


def test_picked_lines_are_different_until_there_are_no_more() -> None:
    """From any place of the pool, over its end, too."""
    pool = shuffled([f"line {number}" for number in range(50)], "test")
    seen: set[str] = set()
    for seed in range(200):
        amount = 1 + seed % 50
        lines = sample_evenly(pool, amount, np.random.default_rng(seed))
        seen |= set(lines)
        assert len(set(lines)) == len(lines) == amount

    assert seen == set(pool)
    assert sample_evenly(pool, 0, np.random.default_rng(0)) == ()
    assert len(sample_evenly(pool, 70, np.random.default_rng(0))) == 70


def test_every_line_is_about_equally_likely() -> None:
    """The first, the last and any other: 4000 picks of five of fifty give each about 400."""
    pool = tuple(map(str, range(50)))
    rng = np.random.default_rng(0)
    counts = dict.fromkeys(pool, 0)
    for _ in range(4000):
        for line in sample_evenly(pool, 5, rng):
            counts[line] += 1

    assert 300 < min(counts.values()) <= max(counts.values()) < 500
