"""The answer to the question of a study, in one sentence and one picture."""

from __future__ import annotations

from collections.abc import Iterator

from agentgym_gen.study.analysis.statistics import SEEDS_TO_RESAMPLE, Estimate
from agentgym_gen.study.plan.plan import Arm
from agentgym_gen.study.report.context import HEAT_MAP_KEY, ReportContext
from agentgym_gen.study.report.document import Block, Text, points


def answer(context: ReportContext) -> Iterator[Block]:
    """Yield whether what was learned carried over, and the gains of all environments on all."""
    sentence = answer_sentence(context)
    if sentence:
        yield Text(sentence)
    arms = transfer_arms(context)
    if arms:
        columns = list(dict.fromkeys(column for arm in arms for column in arm.columns))
        sizes = context.sample_sizes(arms, columns)
        yield context.heat_map(arms, columns, f"{HEAT_MAP_KEY} {sizes}.")


def transfer_arms(context: ReportContext) -> list[Arm]:
    """Return the arms of one environment, and the mixtures: the rows of the heat map."""
    return [*context.arms_of("cross"), *context.arms_of("mixture")]


def answer_sentence(context: ReportContext) -> str:
    """Return the mean gain held in and held out, and what it means; empty without both.

    They are over the arms that were trained on one environment where the study has these, else over
    all arms.
    """
    names = {arm.name for arm in context.arms_of("cross")}
    pairs = [pair for pair in context.gains if not names or pair[0] in names]
    held_in = [pair for pair in pairs if context.is_held_in(*pair)]
    held_out = [pair for pair in pairs if pair not in held_in]
    if not held_in or not held_out:
        return ""
    inside, outside = (context.results.mean_gain_of(pairs) for pairs in (held_in, held_out))
    number = len({arm for arm, _ in pairs})
    size = f"mean of {_count(number, 'trained model')}, {_count(inside.seeds, 'training seed')}"
    return (
        f"Success changed by {_points(inside)} points where a model was trained, and by "
        f"{_points(outside)} points where it was not ({size}): {_meaning(inside, outside)}."
    )


def _points(gain: Estimate) -> str:
    return f"**{points(gain)}**" if gain.is_sure else points(gain)


def _meaning(inside: Estimate, outside: Estimate) -> str:
    if not (inside.covers_training and outside.covers_training):
        return f"with fewer than {SEEDS_TO_RESAMPLE} training seeds no answer for another training"
    if inside.low <= 0:
        return "no gain is sure, so that there is nothing to carry over"
    if outside.low > 0:
        return "some of what was learned carried over"
    if outside.high < 0:
        return "what was learned cost success elsewhere"
    return "it is not seen that anything carried over"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
