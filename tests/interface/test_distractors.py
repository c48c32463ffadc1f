"""The distractor lines of each environment: they name nothing that is in its world."""

import re
from collections.abc import Collection, Iterable

import numpy as np
import pytest

from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import BUNDLED, ENVIRONMENTS
from agentgym_gen.envs.alfworld.distractors import DISTRACTOR_KINDS
from agentgym_gen.envs.babyai.distractors import ceiling_lines
from agentgym_gen.envs.babyai.mission import COLOURS
from agentgym_gen.envs.babyai.mission import KINDS as QUEST_KINDS
from agentgym_gen.envs.searchqa import SearchQA
from agentgym_gen.envs.searchqa.distractors import leaflet_lines
from agentgym_gen.envs.sokoban.distractors import note_lines
from agentgym_gen.envs.textcraft.distractors import curio_lines
from agentgym_gen.envs.textcraft.recipes import recipe_book
from agentgym_gen.envs.webshop import WebShop
from agentgym_gen.envs.webshop.distractors import CATEGORIES, distractor_lines
from agentgym_gen.world import phrase_of
from agentgym_gen.world.distractors import TRAITS, sample_evenly, shuffled
from agentgym_gen.world.surface import common_distractors

POOLS = {
    "BabyAI": ceiling_lines(),
    "SearchQA": leaflet_lines(),
    "Sokoban": note_lines(6),
    "TextCraft": curio_lines(),
    "WebShop": distractor_lines(),
}


def words_in(words: Iterable[str], lines: Collection[str]) -> list[str]:
    """Return which of *words* stand in one of *lines*, in any case."""
    text = "\n".join(lines).lower()
    # `in` is a fast filter; the pattern then asks for a whole word.
    candidates = (word for word in map(str.lower, words) if word in text)
    return [word for word in candidates if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)]


@pytest.mark.parametrize("name", [entry.name for entry in BUNDLED if entry.slow_tasks is None])
def test_every_environment_has_enough_lines_of_its_own(name: str) -> None:
    """An environment has lines of its own, and three times as many as an observation gets."""
    env = make_text_env(f"rftgen/{name}-easy-v0", "train")
    env.reset(seed=0)
    surface = env.world.surface()
    lines = surface.distractors(np.random.default_rng(0), 3 * surface.distractor_amount)

    assert surface.distractors is not common_distractors
    assert len(set(lines)) == len(lines) == 3 * surface.distractor_amount


@pytest.mark.parametrize("name", POOLS)
def test_no_two_lines_are_the_same(name: str) -> None:
    """The lines of an environment are more than 300, and no two are the same."""
    assert len(set(POOLS[name])) == len(POOLS[name]) > 300


@pytest.mark.parametrize("name", POOLS)
def test_no_line_names_a_verb(name: str) -> None:
    """No line has the native phrase of a verb, nor a synonym."""
    verbs = make_text_env(
        f"rftgen/{name}-easy-v0", "train", ENVIRONMENTS[name].test_kwargs
    ).world.verbs
    phrases = {
        phrase_of(template) for verb in verbs for template in (verb.template, *verb.synonyms)
    }

    assert words_in(phrases, POOLS[name]) == []


def test_webshops_banners_name_no_option_and_no_product() -> None:
    """WebShop's lines name no option of a product, and no product names what they advertise."""
    shop = WebShop()._shop
    products = [shop[position] for position in range(len(shop))]
    values = {v for product in products for group in product.options.values() for v in group}

    assert words_in(values, POOLS["WebShop"]) == []
    assert words_in(CATEGORIES, [product.index_text for product in products]) == []


def test_webshop_has_the_three_kinds_of_the_recipe() -> None:
    """WebShop's lines are advertisements, trivia and products that nobody sells."""
    kinds = {line.split("]")[0] + "]" for line in POOLS["WebShop"]}

    assert kinds == {"[AD]", "[TRIVIA]", "[SPONSORED]"}
    assert WebShop().surface().distractor_amount == 40 // 10


@pytest.mark.parametrize("facts", ["real", "invented"])
def test_searchqas_leaflets_name_nothing_of_the_questions(facts: str) -> None:
    """No line names an entity or an answer of 100 questions of every tier and split."""
    tasks = SearchQA(facts=facts).tasks
    questions = [
        tasks.make(tier, split, step * tasks.size(tier, split) // 100).content
        for tier in tasks.tiers
        for split in tasks.splits
        for step in range(100)
    ]
    names = {name for question in questions for name in (*question.names, *question.answers)}

    assert len(names) > 500
    assert words_in(names, POOLS["SearchQA"]) == []


def test_textcrafts_curios_are_no_items() -> None:
    """TextCraft's lines name no item of a recipe and no tag."""
    book = recipe_book()

    assert words_in({*book.items, *book.tags}, POOLS["TextCraft"]) == []


def test_babyais_things_are_none_of_its_kinds_and_colours() -> None:
    """BabyAI's lines name no colour and no kind of thing that a mission may name."""
    assert words_in((*COLOURS, *QUEST_KINDS), POOLS["BabyAI"]) == []


def test_the_numbers_of_the_recipe() -> None:
    """There are 28 kinds of things for ALFWorld's lines, and 19 traits."""
    assert len(set(DISTRACTOR_KINDS)) == 28
    assert len(set(TRAITS)) == 19


def test_sampled_lines_differ_until_all_are_used() -> None:
    """Up to as many lines as there are, no two sampled ones are the same."""
    pool = shuffled([f"line {number}" for number in range(50)], "test")
    sampled: set[str] = set()
    for seed in range(200):
        amount = 1 + seed % 50
        lines = sample_evenly(pool, amount, np.random.default_rng(seed))
        sampled |= set(lines)
        assert len(set(lines)) == len(lines) == amount

    assert sampled == set(pool)
    assert sample_evenly(pool, 0, np.random.default_rng(0)) == ()
    assert len(sample_evenly(pool, 70, np.random.default_rng(0))) == 70


def test_every_line_is_about_equally_likely() -> None:
    """Of 4,000 samples of five of fifty lines, each line is in about 400."""
    pool = tuple(map(str, range(50)))
    rng = np.random.default_rng(0)
    counts = dict.fromkeys(pool, 0)
    for _ in range(4000):
        for line in sample_evenly(pool, 5, rng):
            counts[line] += 1

    assert 300 < min(counts.values()) <= max(counts.values()) < 500
