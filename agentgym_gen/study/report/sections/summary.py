"""The opening of a report: the answer, how large the study is, and the strongest numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from agentgym_gen.study.analysis.analysis import Pair
from agentgym_gen.study.analysis.statistics import SEEDS_TO_RESAMPLE, Estimate
from agentgym_gen.study.plan.plan import Arm, Plan, display_name, label
from agentgym_gen.study.report.context import HEAT_MAP_KEY, ReportContext, is_sure
from agentgym_gen.study.report.document import Block, Bullets, Heading, RawHtml, Text, points
from agentgym_gen.study.report.inline import literal
from agentgym_gen.study.report.markup import render
from agentgym_gen.study.results.rows import Row, read_failures

MAX_REASONS = 8
"""How many errors are listed."""


def about(plan: Plan) -> Iterator[Block]:
    """Yield what the study is about, in the words of its plan."""
    if plan.about:
        yield RawHtml(render("lead.html", text=plan.about), literal(plan.about))


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

    They are over the arms that were trained on one environment where the study has these, on the
    columns on which the heat map shows them, else over all arms. Cells whose seeds do not allow a
    mean with the others are left out.
    """
    shown = {(arm.name, column) for arm in context.arms_of("cross") for column in arm.columns}
    every = [pair for pair in context.gains if not shown or pair in shown]
    pairs = context.results.with_common_seeds(every)
    held_in = [pair for pair in pairs if context.is_held_in(*pair)]
    held_out = [pair for pair in pairs if pair not in held_in]
    if not held_in or not held_out:
        return ""
    inside, outside = (context.results.mean_gain_of(pairs) for pairs in (held_in, held_out))
    number = len({arm for arm, _ in pairs})
    size = f"mean of {_count(number, 'arm')}, {_count(inside.seeds, 'training seed')}"
    left_out = dict.fromkeys(display_name(pair[0]) for pair in every if pair not in pairs)
    if left_out:
        size += f"; without cells of {', '.join(left_out)}, which lack some of these"
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
        return "no significant gain where it was trained, so there is no transfer to measure"
    if outside.low > 0:
        return "some of what was learned carried over"
    if outside.high < 0:
        return "what was learned cost success elsewhere"
    return "no transfer was detected"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def opening(
    context: ReportContext, plan: Plan, rows: Sequence[Row], cells: Sequence[Row], out: Path
) -> Iterator[Block]:
    """Yield how large the study is, what its intervals do not cover, and what has no result yet."""
    seeds = len({row["seed"] for row in rows})
    models = len({(row["arm"], row["seed"]) for row in rows})
    facts = [
        (f"{models}", "models"),
        (f"{seeds}", f"training seed{'s' if seeds > 1 else ''}"),
        (f"{len(cells)}", "cells"),
        (f"{len(rows):,}", "test episodes"),
    ]
    sentence = ", ".join(f"{value} {name}" for value, name in facts)
    yield RawHtml(render("facts.html", facts=facts), f"{sentence}.")
    yield from _seed_warning(list(context.gains.values()))
    if plan.given:
        names = ", ".join(f"`{given.name}` ({literal(given.path)})" for given in plan.given)
        yield Text(f"Trained elsewhere, and only tested here: {names}.")
    missing = sum(1 for _ in plan.all_cells()) - len(cells)
    reasons = {f"{row.get('job')}: {row.get('error')}" for row in read_failures(out)}
    if missing:
        yield Text(f"**{missing} of {missing + len(cells)} cells have no result yet.**")
        if reasons:
            yield Bullets([literal(reason) for reason in sorted(reasons)[:MAX_REASONS]])


def _seed_warning(gains: Sequence[Estimate]) -> Iterator[Block]:
    """Yield which *gains* do not cover the noise of training; the base may have more seeds."""
    few = [gain for gain in gains if not gain.covers_training]
    if few and len(few) < len(gains):
        yield Text(
            f"**The intervals of {len(few)} of {len(gains)} gains do not cover the noise of "
            f"training,** because they have fewer than {SEEDS_TO_RESAMPLE} training seeds: none of "
            "them is said to be sure."
        )
    elif few:
        seeds = _count(max(gain.seeds for gain in few), "training seed")
        yield Text(
            f"**With {seeds} the intervals cover the noise of the evaluation only, not that of "
            "training:** another seed may give other numbers; nothing here is said to be sure, and "
            f"no claim is judged. With {SEEDS_TO_RESAMPLE} seeds or more the intervals cover "
            "training, too."
        )


def headline_sentences(context: ReportContext) -> list[str]:
    """Return the largest gains, the largest loss and how many gains are sure, as sentences."""
    held_in = {pair: e for pair, e in context.gains.items() if context.is_held_in(*pair)}
    held_out = {pair: e for pair, e in context.gains.items() if pair not in held_in}
    sentences = []
    for where, gains in (("held in", held_in), ("held out", held_out)):
        if any(estimate.value > 0 for estimate in gains.values()):
            sentences.append(_extreme(f"The largest gain {where}", gains, max))
        elif gains:
            sentences.append(f"No gain {where} is above zero.")
    if any(estimate.value < 0 for estimate in context.gains.values()):
        sentences.append(_extreme("The largest loss", context.gains, min))
    if not context.gains:
        sentences.append("No trained model was tested beside its base.")
    elif judged := [e for e in held_in.values() if e.covers_training]:
        raised = sum(e.low > 0 for e in judged)
        sentences.append(f"{raised} of {len(judged)} held-in gains have an interval above zero.")
    else:
        sentences.append(
            f"With fewer than {SEEDS_TO_RESAMPLE} training seeds none of these is sure."
        )
    return sentences


def headlines(context: ReportContext) -> Iterator[Block]:
    """Yield the strongest numbers in sentences, and the trainings that changed nothing."""
    yield Heading("In short", "short")
    yield Bullets(headline_sentences(context))
    if context.unchanged:
        yield Text(
            "**Trainings that changed nothing.** An arm of which every seed is here is no trained "
            "model: it is grey in the tables, and in no claim and no headline."
        )
        reasons = context.unchanged.items()
        yield Bullets([f"{display_name(name)}: {reason}" for name, reason in reasons])


def _extreme(what: str, gains: Mapping[Pair, Estimate], best: Callable[..., Pair]) -> str:
    """Return the sentence about the *best* of *gains*, which is `max` or `min`."""
    pair = best(gains, key=lambda pair: gains[pair].value)
    (arm, column), estimate = pair, gains[pair]
    number = f"**{points(estimate)}**" if is_sure(estimate) else points(estimate)
    return (
        f"{what}: {number} points, {display_name(arm)} on {label(column)}"
        f"{' (sure after Holm)' if is_sure(estimate) else ''}."
    )
