"""The ten claims of arXiv 2603.12011, each as a number computed from rows, with a verdict.

The paper's tables were not readable to us: its numbers are second-hand, from published summaries.
Every claim says that a number is above its margin, or below it, or within plus and minus of it. The
verdict is *agrees* if the 95 % interval is there as a whole, *disagrees* if it is outside as a
whole, *cannot tell* otherwise. With fewer than three training seeds no claim can be told: all are
about training, and the interval of one training does not cover another.

`MARGINS` has the margins, and why: most are half of the smaller number that the paper has.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agentgym_gen.ids import EnvId
from agentgym_gen.interface import Interface
from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.analysis.descriptors import env_traits, is_harder, lists_actions
from agentgym_gen.study.analysis.statistics import (
    SEEDS_TO_RESAMPLE,
    Estimate,
    Floats,
    effective_number,
    interval,
    seed_deviations,
    wilson,
)
from agentgym_gen.study.plan.families import is_random
from agentgym_gen.study.plan.plan import BASE, Arm, Stage, arm_name, label
from agentgym_gen.study.results.failures import CONFIRMATION_BIAS
from agentgym_gen.study.results.rows import Row

__all__ = ["MARGINS", "MARGIN_REASONS", "PAPER", "SENTENCES", "Claim", "bias_share", "check_claims"]

AGREES, DISAGREES, CANNOT_TELL, NOT_TESTED = "agrees", "disagrees", "cannot tell", "not tested"

ABOVE, BELOW, WITHIN = "above", "below", "within"

MARGINS = {
    "T1": 0.175,
    "T2": -0.02,
    "T3": 0.30,
    "T4": 0.31,
    "T5": -0.02,
    "T6": -0.09,
    "T7": -0.02,
    "T8": 0.05,
    "T9": 0.0,
    "T10": 0.10,
}
"""The margin of each claim, in success or as a share. `MARGIN_REASONS` says why."""

MARGIN_REASONS = {
    "T1": "gain on the hard tier above 17.5 points: half of the smaller of the paper's two",
    "T2": "above -2 points: the smaller of the paper's two gains, lost instead, is not as good",
    "T3": "more than 30 % of the base's turns saved: half of the paper's 61 %",
    "T4": "difference above 31 points: half of the smaller of the paper's, 65.4 less 3.4",
    "T5": "the worst change below -2 points: a loss up to that counts as none, as in T7",
    "T6": "change on the same tier below -9 points: half of the paper's loss of 18.3",
    "T7": "above -2 points: the paper's loss is 0.2, and its smallest gain is 2",
    "T8": "within 5 points: above all that the paper calls small, far below what it calls large",
    "T9": "above 0: best means better than every other; the sources have no number",
    "T10": "above 10 % of failures: the paper's own number",
}
"""What the interval has to show for *agrees*, and why, from the paper's own numbers."""


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, put to one arm of ours."""

    number: str
    """``T1`` to ``T10``."""
    sentence: str
    """The claim, with the names of our arm and columns."""
    unit: str
    """The unit of our number."""
    ours: Estimate | None
    """Our number; None if the study has no cells for it."""
    side: str = ABOVE
    """Where our number is if the claim holds: ``above`` or ``below`` the margin, or ``within`` plus
    and minus of it."""
    is_selected: bool = False
    """Whether the arm was selected by its number, so that another run may name another arm."""

    @property
    def key(self) -> tuple[str, str]:
        """What the claim is about, which is the same in every run of one plan."""
        return self.number, "" if self.is_selected else self.sentence

    @property
    def verdict(self) -> str:
        """Whether our interval agrees with the claim."""
        if self.ours is None or np.isnan(self.ours.low):
            return NOT_TESTED
        if not self.ours.covers_training:
            return CANNOT_TELL
        low, high, margin = self.ours.low, self.ours.high, MARGINS[self.number]
        holds, fails = {
            ABOVE: (low > margin, high < margin),
            BELOW: (high < margin, low > margin),
            WITHIN: (-margin < low and high < margin, low > margin or high < -margin),
        }[self.side]
        return AGREES if holds else DISAGREES if fails else CANNOT_TELL


SENTENCES = {
    "T1": "Training on easy tasks alone raises hard tasks of the same environment by far",
    "T2": "A curriculum from easy to hard is at least as good as either alone",
    "T3": "Training makes episodes of its own environment shorter",
    "T4": "Gains are far greater held in than held out",
    "T5": "Transfer to other environments is uneven and can be negative",
    "T6": "Training with the list of actions shown hurts where it is not shown",
    "T7": "After a second environment the first is kept, and the second is as good as alone",
    "T8": "One environment after another is about as good as all together",
    "T9": "All together gives the best balance",
    "T10": "Confirmation bias remains a leading failure after training",
}
"""The claims in one sentence each."""

PAPER = {
    "T1": "WebShop hard, 7B: 17.4 to 77.5 (+60.1); AlfWorld hard: 14.5 to 49.4 (+34.9)",
    "T2": "BabyAI: +2.0 over easy only, +3.3 over hard only",
    "T3": "BabyAI, 3B: turns 10.76 to 4.19 (-61 %), tokens 624.6 to 160.6 (-74 %)",
    "T4": "AlfWorld held in +78.6 (3B), +65.4 (7B); held out on average +3.3, +3.4",
    "T5": "7B trained on BabyAI: WebShop 28.6 to 10.3 (-18.3), held out on average -3.2",
    "T6": "trained on BabyAI, which lists at every turn: WebShop, which does not, 28.6 to 10.3",
    "T7": "WebShop then TextCraft: TextCraft 80.9 to 82.5, WebShop 86.5 to 86.3 (-0.2)",
    "T8": "five environments in sequence and jointly: comparable",
    "T9": "mixture improves the overall balance",
    "T10": "at least 10 % of failures in every environment",
}
"""The paper's own numbers, second-hand."""


def check_claims(results: Results, arms: Sequence[Arm]) -> list[Claim]:
    """Return every claim once for each arm that it is about; one about no arm is not tested."""
    claims: list[Claim] = []
    for number, check in _CHECKS.items():
        claims += list(check(results, arms)) or [Claim(number, "no arm of this study", "", None)]
    return claims


EASY_TO_HARD = ("easy", "hard")
"""The tiers that T1 is about: the paper has no medium one."""


def _single(arms: Sequence[Arm], *families: str) -> Iterator[Arm]:
    """Yield the arms of one stage on one environment, of some *families* or any, each once."""
    names: set[str] = set()
    for arm in [arm for arm in arms if not families or arm.family in families]:
        if len(arm.stages) == 1 and len(arm.stages[0].env_ids) == 1 and arm.name not in names:
            names.add(arm.name)
            yield arm


def _tested(results: Results, name: str) -> list[str]:
    """Return the columns that the arm *name* and the base were tested on."""
    return [c for arm, c in results.pairs if arm == name and results.has((name, c), (BASE, c))]


def _t1(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in _single(arms):
        for column in _tested(results, arm.name):
            trained = arm.stages[0].env_ids[0]
            is_easy_to_hard = (env_traits(trained).tier, env_traits(column).tier) == EASY_TO_HARD
            if is_easy_to_hard and is_harder(column, trained):
                sentence = f"{arm.name} raises {label(column)}"
                yield Claim("T1", sentence, "gain, points", results.gain(arm.name, column))


def _t2(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in arms:
        if arm.family != "difficulty" or len(arm.stages) != 2:
            continue
        first, second = (env_traits(stage.env_ids[0]) for stage in arm.stages)
        if not is_harder(arm.stages[1].env_ids[0], arm.stages[0].env_ids[0]):
            continue
        for tier, stage in ((first.tier, arm.stages[0]), (second.tier, arm.stages[1])):
            alone = arm_name([Stage(stage.name, stage.env_ids)])
            tested = [(arm.name, c) for c in arm.columns if results.has((arm.name, c), (alone, c))]
            columns = [column for _, column in results.with_common_seeds(tested, over=alone)]
            if columns:
                tiers = " and ".join(env_traits(column).tier for column in columns)
                sentence = f"{arm.name} against {tier} alone, mean over {tiers}"
                ours = results.mean_gain(arm.name, columns, over=alone)
                yield Claim("T2", sentence, "difference, points", ours)


def _t3(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in _single(arms, "cross", "difficulty"):
        own = arm.stages[0].env_ids[0]
        if results.has((arm.name, own), (BASE, own)):
            rows = [*_with_turns(results, arm.name, own), *_with_turns(results, BASE, own)]
            turns = Results(rows, scale=(1.0, float(max(row["success"] for row in rows))))
            saved = turns.combine([(BASE, own), (arm.name, own)], _saved_share)
            sentence = f"{arm.name} on {label(own)}"
            yield Claim("T3", sentence, "percent of the base's turns saved", saved)


def _saved_share(turns: Floats) -> Floats:
    """Return the share of the first mean that the second one saves; no episode has no turn."""
    possible = np.maximum(turns, 1.0)
    return np.asarray(1 - possible[1] / possible[0])


def _with_turns(results: Results, arm: str, column: str) -> Iterator[Row]:
    """Yield the rows of *arm* on *column* with the number of turns in place of success."""
    for row in results.rows(arm, column):
        yield {**row, "success": row["turns"]}


def _others(results: Results, arm: Arm) -> list[str]:
    """Return the columns of other environments that *arm* was tested on."""
    trained = {env_traits(env_id).name for stage in arm.stages for env_id in stage.env_ids}
    return [c for c in _tested(results, arm.name) if env_traits(c).name not in trained]


def _t4(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in _single(arms, "cross"):
        own = arm.stages[0].env_ids[0]
        pairs = [(arm.name, column) for column in (own, *_others(results, arm))]
        if own not in _tested(results, arm.name):
            continue
        columns = [column for _, column in results.with_common_seeds(pairs)]
        others = [column for column in columns if column != own]
        if others and own in columns:
            sentence = f"{arm.name}: held in less the mean of {len(others)} other environments"
            ours = results.transfer_gap(arm.name, [own], others)
            yield Claim("T4", sentence, "difference of gains, points", ours)


def _t5(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    pairs = [
        (arm.name, column)
        for arm in _single(arms, "cross", "interface")
        for column in _others(results, arm)
    ]
    if not pairs:
        return
    worst = min(pairs, key=lambda pair: results.gain(*pair).value)
    ours = results.least_mean_gain([(arm, [column], BASE) for arm, column in pairs])
    sentence = f"the worst of {len(pairs)}: {worst[0]} on {label(worst[1])} (Bonferroni)"
    yield Claim("T5", sentence, "change, points", ours, BELOW, is_selected=True)


def _t6(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in _single(arms):
        own = arm.stages[0].env_ids[0]
        for column in _tested(results, arm.name) if lists_actions(own) else ():
            if _loses_the_list(own, column):
                sentence = f"{arm.name} on {label(column)}"
                change = results.gain(arm.name, column)
                yield Claim("T6", sentence, "change, points", change, BELOW)


def _loses_the_list(listed: str, column: str) -> bool:
    """Return whether *column* is *listed* without its list of actions, and alike in all else."""
    first, second = env_traits(listed), env_traits(column)
    if lists_actions(column) or is_random(second.interface):
        return False
    interfaces = [Interface.parse(traits.interface) for traits in (first, second)]
    never = [dataclasses.replace(interface, listing="never") for interface in interfaces]
    options = [
        {key: value for key, value in EnvId.parse(env_id).query if key != "interface"}
        for env_id in (listed, column)
    ]
    same = (first.name, first.tier, never[0]) == (second.name, second.tier, never[1])
    return same and options[0] == options[1] and interfaces[1].listing != "first"


def _t7(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in arms:
        if arm.family != "sequence" or len(arm.stages) != 2:
            continue
        first, second = arm.stages
        column, alone = first.env_ids[0], arm_name([first])
        if results.has((arm.name, column), (alone, column)):
            change = results.gain(arm.name, column, over=alone)
            sentence = f"{arm.name}: {label(column)} is kept"
            yield Claim("T7", sentence, "change, points", change)
        column, alone = second.env_ids[0], arm_name([second])
        if results.has((arm.name, column), (alone, column)):
            difference = results.gain(arm.name, column, over=alone)
            sentence = f"{arm.name}: {label(column)} against alone"
            yield Claim("T7", sentence, "difference, points", difference)


def _mixtures(arms: Sequence[Arm]) -> list[Arm]:
    return [arm for arm in arms if arm.family == "mixture"]


def _t8(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for mixture in _mixtures(arms):
        columns = mixture.columns
        for arm in arms:
            trained = {env_id for stage in arm.stages for env_id in stage.env_ids}
            has_all = arm.family == "sequence" and trained == set(columns)
            pairs = [(name, column) for name in (arm.name, mixture.name) for column in columns]
            if has_all and len(arm.stages) > 2 and results.has(*pairs):
                ours = results.mean_gain(arm.name, columns, over=mixture.name)
                sentence = f"{arm.name} less {mixture.name}, mean over {len(columns)}"
                yield Claim("T8", sentence, "difference, points", ours, WITHIN)


def _t9(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for mixture in _mixtures(arms):
        columns = mixture.columns
        trained = {env_id for stage in mixture.stages for env_id in stage.env_ids}
        singles = [a.name for a in _single(arms, "cross") if a.stages[0].env_ids[0] in trained]
        if not singles:
            continue
        number = f"{len(singles)} trainings on one environment"
        sentence = f"{mixture.name} less the best of {number}, mean over {len(columns)}"
        cells = [[(arm, c) for arm in (mixture.name, name) for c in columns] for name in singles]
        # "better than every other" cannot be told while the cells of one are missing
        gains = [(mixture.name, columns, name) for name in singles]
        is_whole = all(results.has(*pairs) for pairs in cells)
        ours = results.least_mean_gain(gains) if is_whole else None
        yield Claim("T9", sentence, "difference, points", ours)


def _t10(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in _single(arms, "cross"):
        own = arm.stages[0].env_ids[0]
        if not results.has((arm.name, own)):
            continue
        failed = [row for row in results.rows(arm.name, own) if not row["success"]]
        if failed:
            sentence, unit = f"{arm.name} on {label(own)}", f"percent of {len(failed)} failures"
            yield Claim("T10", sentence, unit, bias_share(failed))


def bias_share(failed: Sequence[Row]) -> Estimate:
    """Return the share of *failed* episodes with confirmation bias.

    Wilson's interval over the number of tasks that the share is worth, as some fail more often than
    others, and with three seeds or more the wider one of that and Student's over the shares of the
    seeds.
    """
    by_seed: dict[int, list[bool]] = {}
    for row in failed:
        is_biased = bool(set(CONFIRMATION_BIAS) & set(row["failures"]))
        by_seed.setdefault(row["seed"], []).append(is_biased)
    failures = Counter(row["task_id"] for row in failed)
    tasks, seeds = len(failures), len(by_seed)
    share = sum(map(sum, by_seed.values())) / len(failed)
    low, high = wilson(share, effective_number(np.array(list(failures.values()), float)))
    if seeds >= SEEDS_TO_RESAMPLE:
        shares_S = np.array([np.mean(values) for values in by_seed.values()])
        seeds_low, seeds_high = interval(share + shares_S @ seed_deviations(seeds))
        low, high = max(0.0, min(low, seeds_low)), min(1.0, max(high, seeds_high))
    return Estimate(share, low, high, tasks, seeds)


_CHECKS: dict[str, Callable[[Results, Sequence[Arm]], Iterator[Claim]]] = {
    **{"T1": _t1, "T2": _t2, "T3": _t3, "T4": _t4, "T5": _t5},
    **{"T6": _t6, "T7": _t7, "T8": _t8, "T9": _t9, "T10": _t10},
}
