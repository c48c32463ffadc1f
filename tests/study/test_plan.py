"""A TOML file becomes arms, models and cells."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pretend_study import SMALL, small_plan

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import DataError, InvalidValueError, UnknownNameError
from agentgym_gen.study import Arm, Plan, Stage, load_plan, parse_plan, preset_names, preset_text
from agentgym_gen.study.plan.plan import ModelId, label, plan_key
from agentgym_gen.study.plan.tables import line_of
from agentgym_gen.study.run.cost import count_cost

SOKOBAN, MEDIUM = "rftgen/Sokoban-easy-v0", "rftgen/Sokoban-medium-v0"
CRAFT = "rftgen/TextCraft-easy-menu-v0"


def arms(text: str) -> dict[str, Arm]:
    """Return the arms of a plan on Sokoban, TextCraft and ALFWorld with the families of *text*."""
    head = 'name = "x"\nseeds = [0]\n[environments.Sokoban]\n[environments.ALFWorld]\n'
    craft = '[environments.TextCraft]\ninterface = "menu"\n'
    return {arm.name: arm for arm in parse_plan(head + craft + text).arms}


def test_a_model_has_a_readable_name_that_is_its_folder() -> None:
    """The name has the stages in their order, and the seed."""
    easy, craft = Stage("sokoban-easy", (SOKOBAN,)), Stage("craft", (CRAFT,), 0.5)

    assert ModelId((easy, craft), 3).name == "sokoban-easy_then_craft@0.5.s3"
    assert ModelId((), 0).name == "base.s0"
    assert ModelId((easy, craft), 3).parent == ModelId((easy,), 3)


def test_the_difficulty_family() -> None:
    """The stages of a curriculum share the steps; mixed trains on every tier at once."""
    family_arms = arms('[difficulty]\nenvironments = ["Sokoban"]\n')

    assert list(family_arms) == [
        "sokoban-easy",
        "sokoban-medium",
        "sokoban-hard",
        "sokoban-mixed",
        "sokoban-easy@0.5_then_sokoban-hard@0.5",
        "sokoban-hard@0.5_then_sokoban-easy@0.5",
    ]
    assert len(family_arms["sokoban-mixed"].stages[0].env_ids) == 3
    assert all(len(arm.columns) == 3 for arm in family_arms.values())


def test_the_cross_family() -> None:
    """Each environment is trained on alone and tested on all."""
    family_arms = arms('[cross]\nenvironments = ["Sokoban", "TextCraft"]\n')

    assert {name: arm.columns for name, arm in family_arms.items()} == {
        "sokoban-easy": (SOKOBAN, CRAFT),
        "textcraft-easy-menu": (SOKOBAN, CRAFT),
    }


def test_the_interface_family() -> None:
    """An arm trains through one interface or several, and is tested through those of `test`."""
    family_arms = arms(
        '[interface]\nenvironments = ["Sokoban"]\ntrain = ["listed", "native|terse|renamed"]\n'
        'test = ["native", "listed+terse"]\nelsewhere = ["TextCraft"]\n'
    )

    assert list(family_arms) == ["sokoban-easy-listed", "sokoban-easy-native+terse+renamed"]
    assert family_arms["sokoban-easy-listed"].columns == (
        SOKOBAN,
        "rftgen/Sokoban-easy-v0?interface=listed+terse",
        CRAFT,
    )
    assert len(family_arms["sokoban-easy-native+terse+renamed"].stages[0].env_ids) == 3


def test_the_interface_family_tests_every_preset_by_default() -> None:
    """Without `test`, an arm is tested through every preset and the native interface."""
    (arm,) = arms('[interface]\nenvironments = ["Sokoban"]\ntrain = ["native"]\n').values()

    assert "rftgen/Sokoban-easy-unlisted-v0" in arm.columns
    assert len(arm.columns) >= 15


def test_the_sequence_family() -> None:
    """Pairs, all pairs and orders are tested on all their environments after every stage."""
    family_arms = arms(
        '[sequence]\nall_pairs_of = ["Sokoban", "ALFWorld"]\n'
        'orders = [["Sokoban", "ALFWorld", "TextCraft"]]\n'
    )

    assert list(family_arms) == [
        "sokoban-easy_then_alfworld-easy",
        "alfworld-easy_then_sokoban-easy",
        "sokoban-easy_then_alfworld-easy_then_textcraft-easy-menu",
    ]
    assert all(arm.every_stage and len(arm.columns) == 3 for arm in family_arms.values())


def test_an_environment_can_be_played_on_all_tiers() -> None:
    """Its id has no tier then."""
    text = 'name = "x"\nseeds = [0]\n[environments.Sokoban]\ntier = "all"\ninterface = "listed"\n'
    (arm,) = parse_plan(text + '[cross]\nenvironments = ["Sokoban"]\n').arms

    assert arm.columns == ("rftgen/Sokoban-v0?interface=listed",)
    assert arm.name == "sokoban-listed"


def test_custom_arms() -> None:
    """Each stage of an arm without a family gets a number."""
    family_arms = arms(
        f'[[arm]]\nname = "mine"\nstages = [["{SOKOBAN}"], ["{CRAFT}", "{MEDIUM}"]]\n'
        f'test = ["{MEDIUM}"]\n'
    )

    assert list(family_arms) == ["mine-1_then_mine-2"]


def test_options_of_an_environment_are_in_its_ids() -> None:
    """Models train and are tested with them; without any the key of a plan is that of before."""
    text = 'name = "x"\n[environments.SearchQA]\n{}\n[cross]\nenvironments = ["SearchQA"]\n'
    plan = parse_plan(text.format('options = { facts = "invented" }'))
    record = parse_plan(text.format("")).as_dict()
    record["environments"]["SearchQA"].pop("options")

    assert plan.columns == ("rftgen/SearchQA-easy-v0?facts=invented",)
    assert plan.arms[0].stages[0].env_ids == plan.columns
    assert Plan.from_dict(record).key() == plan_key(record)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('{ fact = "invented" }', "line 3: .*did you mean 'facts'"),
        ('{ split = "test" }', "line 3: .*'split' in .* is no keyword argument"),
        ("{ facts = [1] }", r"line 3: `environments.SearchQA.options.facts` is a text.*not \[1\]"),
        ("3", "line 3: `environments.SearchQA.options` is a table, not 3"),
        ('{ interface = "menu" }', "line 3: .*interface` is no option; set `interface` beside"),
        ('{ tasks = "a.txt" }', "line 3: .*tasks` is no option; set `lists` beside"),
        ('{ data_dir = "a&b" }', "line 3: 'b' in .* is no keyword argument"),
    ],
)
def test_a_wrong_option_of_an_environment_is_an_error(options: str, message: str) -> None:
    """The error names the line and the key."""
    with pytest.raises(InvalidValueError, match=message):
        parse_plan(f'name = "x"\n[environments.SearchQA]\noptions = {options}\n')


def test_lists_of_tasks_are_tiers() -> None:
    """The lists of `calibrate` take the place of the tiers of an environment."""
    text = 'name = "x"\nseeds = [0]\n[environments.TextCraft]\nlists = "lists/craft"\n'
    plan = parse_plan(text + '[difficulty]\nenvironments = ["TextCraft"]\n')

    assert [label(column) for column in plan.columns] == [
        "TextCraft-craft.easy",
        "TextCraft-craft.hard",
    ]
    assert plan.columns[0] == "rftgen/TextCraft-v0?tasks=lists/craft.easy.txt"
    assert plan.arms[-1].name == "textcraft-craft.hard@0.5_then_textcraft-craft.easy@0.5"


def test_arms_with_the_same_first_stages_share_models() -> None:
    """The pair of the small plan begins with the model of another arm."""
    plan = small_plan(seeds=(0,))

    assert [model.name for model in plan.models] == [
        "base.s0",
        "sokoban-easy.s0",
        "sokoban-easy@0.5.s0",
        "sokoban-easy@0.5_then_sokoban-medium@0.5.s0",
        "textcraft-easy-menu.s0",
        "sokoban-easy-listed.s0",
        "sokoban-easy_then_textcraft-easy-menu.s0",
        "mixture.s0",
    ]


def test_a_model_is_tested_on_the_columns_of_its_families() -> None:
    """The base is tested on all columns, the first stage of a curriculum on none."""
    plan = small_plan()
    tested = {model.arm: plan.columns_of(model.stages) for model in plan.models}

    assert tested["base"] == plan.columns
    assert tested["sokoban-easy"] == (SOKOBAN, MEDIUM, CRAFT)
    assert tested["sokoban-easy@0.5"] == ()
    assert tested["mixture"] == (SOKOBAN, CRAFT)


def test_all_columns_tests_every_model_on_every_column() -> None:
    """Only the models of earlier stages are left out."""
    plan = small_plan(all_columns=True)
    tested = {model.arm: plan.columns_of(model.stages) for model in plan.models}

    assert tested["mixture"] == plan.columns
    assert tested["sokoban-easy@0.5"] == ()


def test_the_key_is_the_hash_of_what_rows_depend_on() -> None:
    """A text of the report does not change it; a setting does."""
    plan = small_plan()

    assert replace(plan, about="something else").key() == plan.key()
    assert replace(plan, rft={"max_steps": 3}).key() != plan.key()


def test_a_plan_is_the_same_after_a_round_trip() -> None:
    """`from_dict` returns the plan of `as_dict`."""
    plan = load_plan("quick")

    assert Plan.from_dict(plan.as_dict()).key() == plan.key()
    assert Plan.from_dict(plan.as_dict()).columns == plan.columns


def test_a_plan_of_another_schema_is_not_read() -> None:
    """The error names both schemas."""
    sentence = r"rows of schema 1, and this version reads the schemas \(2, 3\)"
    with pytest.raises(DataError, match=sentence):
        Plan.from_dict({**small_plan().as_dict(), "row_schema": 1})


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_a_plan(name: str) -> None:
    """The file of a preset has the name of its plan."""
    assert load_plan(name).name == name


@pytest.mark.parametrize("name", [name for name in preset_names() if name.startswith("paper")])
def test_every_setting_of_the_papers_presets_has_its_source(name: str) -> None:
    """A comment says that it is from the paper, from AgentGym-RL's scripts, or ours."""
    marks = ("# paper", "# AgentGym-RL", "# ours")
    lines = [line for line in preset_text(name).splitlines() if "=" in line.split("#")[0]]

    assert [line for line in lines if not any(mark in line for mark in marks)] == []


def test_styles_go_by_environment() -> None:
    """The style of the plan is the default of each environment."""
    text = SMALL.replace("[environments.Sokoban]", "[environments.Sokoban]\nstyle = {window = 0}")
    plan = parse_plan(text)

    assert plan.style_of(MEDIUM) == PromptStyle("action", instruction=False, window=0)
    assert plan.style_of("x:rftgen/TextCraft-v0?tasks=a") == PromptStyle("action", False)


def test_an_environment_has_settings_of_its_own(tmp_path: Path) -> None:
    """They hold in a training on it alone, and in its cost; the other settings are the plan's."""
    own = "[environments.Sokoban.rft]\ntasks_per_step = 40\n"
    plan = parse_plan(SMALL + "[rft]\ntasks_per_step = 12\nmax_turns = 9\n" + own)
    settings = {"tasks_per_step": 40, "max_turns": 9}

    assert plan.rft_of(Stage("alone", (SOKOBAN, MEDIUM))) == settings
    assert plan.rft_of(Stage("mixed", (SOKOBAN, CRAFT))) == plan.rft
    assert Plan.from_dict(plan.as_dict()).rft_of(Stage("alone", (SOKOBAN,))) == settings
    stages = [model.stages[-1] for model in plan.models if model.stages]
    episodes = sum(
        max(1, round(100 * stage.share)) * 8 * plan.rft_of(stage)["tasks_per_step"]
        for stage in stages
    )
    assert count_cost(plan, tmp_path).train_episodes == episodes
    assert {plan.rft_of(stage)["tasks_per_step"] for stage in stages} == {12, 40}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('about = "', "about = ", r"is not TOML: .*\(at line 3, column"),
        ("seeds = [0, 1]", "sedes = [0, 1]", "line 4: Unknown key 'sedes'; did you mean 'seeds'"),
        ('name = "small"', "", "needs 'name'"),
        ("seeds = [0, 1]", 'seeds = ["a"]', "line 4: `seeds` is a whole number, not 'a'"),
        ("tasks = 6", "task = 6", "line 16: Unknown key 'test.task'; did you mean 'tasks'"),
        ("tasks = 6", "tasks = 0", "line 16: `tasks`, `samples` and"),
        ("tasks = 6", 'tasks = "six"', "line 16: `test.tasks` is a whole number, not 'six'"),
        ("tasks = 6", "temperature = -1", "line 16: `temperature` is 0 or more, not -1"),
        ('interface = "menu"', 'interfce = "menu"', "line 11: Unknown key 'environments.Text"),
        ("[environments.Sokoban]", "[environments.Sokban]", "line 13: Unknown environment 'Sok"),
        ("[cross]", "[corss]", "line 24: Unknown key 'corss'; did you mean 'cross'"),
        ('train = ["listed"]', 'train = ["lsted"]', "Unknown interface 'lsted'; did you mean 'li"),
        ('pairs = [["Sokoban", "TextCraft"]]', "pairs = [[]]", "A pair is two environments"),
        ('"easy-medium"]', '"easy-medum"]', "Unknown difficulty arm 'easy-medum'"),
        ("seeds = [0, 1]", "seeds = [1, 1]", "line 4: `seeds` are different whole numbers"),
    ],
)
def test_a_mistake_is_named_by_line_and_key(old: str, new: str, message: str) -> None:
    """The error says what is accepted."""
    assert old in SMALL
    with pytest.raises(InvalidValueError, match=message):
        parse_plan(SMALL.replace(old, new, 1))


def test_a_plan_without_seeds_has_one() -> None:
    """It is seed 0."""
    assert parse_plan(SMALL.replace("seeds = [0, 1]", "")).seeds == (0,)


TINY = '[model]\nbuild = "tiny"\n'
DEMOS = f'[warm_start.demonstrations]\n"{SOKOBAN}" = 10\n'
PAIR = 'pairs = [["Sokoban", "TextCraft"]]'
ARM = f'[[arm]]\nname = "NAME"\nstages = [["{SOKOBAN}"]]\ntest = ["{SOKOBAN}"]\n'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", f"{TINY}width = -4\n{DEMOS}", "39: `width` is a whole number, 12 or more, not -4"),
        ("", f"{TINY}width = 130\n{DEMOS}", "39: `width` is an even multiple of `heads`, 4, not"),
        ("", f"{TINY}layers = 0\n{DEMOS}", "39: `layers` is a whole number, 1 or more, not 0"),
        ("", f"{TINY}context = 0\n{DEMOS}", "39: `context` is a whole number, 1 or more, not 0"),
        ("", f"{TINY}width = 80000000\n{DEMOS}", "37: `layers`, `width`, .* a tiny one has at mo"),
        ("", f"{TINY}wdth = 64\n{DEMOS}", "39: Unknown key 'model.wdth'; did you mean 'width'"),
        ("", f"{DEMOS}[warm_start.epsilon]\n'{SOKOBAN}' = 2\n", "40: .* is a probability from 0"),
        ("", f"{DEMOS}[warm_start.epsilon]\n'{CRAFT}' = 1\n", "40: .* that `demonstrations` does"),
        ("", TINY, r"37: `model` builds .*: add \[warm_start.demonstrations\] with lines such as"),
        ("", '[model]\nbuild = "big"\n', "37: `model` has `build = \"tiny\"`, or the `name` of"),
        ("[mixture]", "[mixture]\nshare = -1.0", "36: `share` is above 0 and at most 1000, not -1"),
        ("[0, 1]", f"[{'9' * 26}]", "4: `seeds` is a whole number of at most 9007199254740992"),
        ("[0, 1]", "[4294967296]", "4: `seeds` are different whole numbers from 0 to 4294967295"),
        ("[0, 1]", str(list(range(600))), "4: `seeds` has at most 500 items, not 600"),
        ("", ARM.replace("NAME", "Foo") + ARM.replace("NAME", "foo"), "42: `arm.name` is 'foo', a"),
        ("", ARM.replace("NAME", "CON"), "38: `name`: No folder can be called 'CON': it is a dev"),
        ("", ARM.replace("NAME", "a."), "38: `name`: No folder can be called 'a.': Windows drops"),
        ("", ARM.replace("NAME", "x" * 300), "38: `name`: .* it has 300 bytes, and 200 are the"),
        ('"small"', '"nul.x"', "2: `name`: No folder can be called 'nul.x': it is a device"),
        ('"small"', '"a."', "2: `name`: No folder can be called 'a.': Windows drops"),
        (PAIR, f"{PAIR[:-1]}, {PAIR[9:]}", r"33: `sequence.pairs` names \('Sokoban', 'TextC"),
        ("", "[rft]\nadvantage_clip = [1.0]\n", "38: `rft.advantage_clip` is a list of more items"),
        ('["listed"]', '["json|"]', "29: `interface.train` has an empty interface between bars"),
        ("tasks = 6", "tasks = 1979-05-27", "16: `test.tasks` is a whole number, not datetime"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_a_sentence(old: str, new: str, message: str) -> None:
    """It has the file, the line and the key, and comes when the plan is read."""
    assert old in SMALL
    text = SMALL.replace(old, new, 1) if old else SMALL + new
    with pytest.raises(InvalidValueError, match=f"^mine.toml, line {message}"):
        parse_plan(text, "mine.toml")


def test_names_that_differ_in_capitals_are_one_folder_on_some_disks() -> None:
    """That holds for arms that are made in code, too; a column and an arm may be alike."""
    stages = [(Stage(name, (SOKOBAN,)),) for name in ("a", "A")]
    with pytest.raises(InvalidValueError, match="'A' and 'a', one folder on some disks"):
        Plan("x", tuple(Arm("own", stage, (SOKOBAN,)) for stage in stages), (0,))


HOSTILE_LINES = (
    *("[" + " " * 999, "a" * 999, '"' * 999, "a . " * 250, "[" + "a." * 499, "'a'." * 250),
    *("x = {" + "a-" * 480, " " * 999, 'x={' + '"a" ' * 250, "a" + " " * 998, "x={" + " " * 990),
)  # fmt: skip


def test_no_line_makes_a_pattern_slow() -> None:
    """A pattern takes steps in proportion to the line: 10,000 of the longest lines end."""
    text = "\n".join(HOSTILE_LINES * 1000)

    assert line_of(f"{text}\nz = 1", ("z",)) == len(HOSTILE_LINES) * 1000 + 1


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("[rft]\nlearning_rte = 1e-4\n", "Unknown key 'rft.learning_rte'; did you mean"),
        ("[rft]\nmax_steps = 0\n", "`max_steps` is a whole number, 1 or more, not 0"),
        ("[environments.Sokoban.rft]\nmax_steps = 0\n", r"line \d+: `max_steps` is a whole number"),
        ("[environments.Sokoban.rft]\nsteps = 1\n", "'environments.Sokoban.rft.steps'"),
        ("[warm_start]\nbatch_size = 1.5\n", "`warm_start.batch_size` is a whole number, not 1.5"),
        ("[warm_start]\nmax_steps = 5\n", "`warm_start` has no demonstrations: add"),
        ("[warm_start]\nepochs = 3\n", "Unknown key 'warm_start.epochs'"),
        (f'[warm_start.demonstrations]\n"{SOKOBAN}" = 0\n', "is 1 or more, not 0"),
        ("[rft]\nseed = 7\n", r"`rft.seed` is no setting of a study: it is each of the plan's"),
        ('[rft]\noutput_dir = "x"\n', "`rft.output_dir` is no setting of a study"),
        ('[environments.Sokoban.rft]\nsave_best = "success"\n', "tested with its last weights"),
        (
            f'[warm_start.demonstrations]\n"{SOKOBAN}" = 9\n[rft]\nlora_alpha = 64\n',
            "`rft.lora_alpha` is 64, and 32 in the warm start, whose adapter is trained on",
        ),
    ],
)
def test_a_setting_of_the_trainer_is_checked_when_the_plan_is_read(
    section: str, message: str
) -> None:
    """The error comes before anything runs."""
    with pytest.raises(InvalidValueError, match=message):
        parse_plan(SMALL + section)


@pytest.mark.parametrize(("text_format", "tokens"), [("action", 32), ("tool", 96), ("react", 256)])
def test_an_answer_may_be_as_long_as_its_format_needs(text_format: str, tokens: int) -> None:
    """In tests, and in trainings, which take the number from them; unless the plan has its own."""
    plan = parse_plan(SMALL.replace('"action"', f'"{text_format}"'))
    own = parse_plan(SMALL.replace("samples = 2", "samples = 2\nmax_new_tokens = 7"))

    assert (plan.test.max_new_tokens, own.test.max_new_tokens) == (tokens, 7)


def test_an_adapter_after_a_warm_start_of_all_weights_is_accepted() -> None:
    """The warm start leaves no adapter that it would have to be like."""
    text = f'[warm_start]\nlora_rank = 0\n[warm_start.demonstrations]\n"{SOKOBAN}" = 9\n'

    assert parse_plan(f"{SMALL}{text}[rft]\nlora_rank = 8\n").rft["lora_rank"] == 8


def test_the_line_of_a_key() -> None:
    """It is found in a table, in an array of tables, in quotes, and in an inline table."""
    text = 'a = 1\n[b.c]\n"x/y" = 2\nd = { e = 3 }\n[[f]]\ng = 1\n[[f]]\ng = 2\n'

    assert line_of(text, ("a",)) == 1
    assert line_of(text, ("b", "c", "x/y")) == 3
    assert line_of(text, ("b", "c", "d", "e")) == 4
    assert line_of(text, ("f", 1, "g")) == 8
    assert line_of(text, ("b", "c", "nothing")) == 2
    assert line_of(text, ("nothing",)) is None


def test_a_study_that_is_neither_preset_nor_file_is_an_error() -> None:
    """The error names the nearest preset, or the file that cannot be read."""
    with pytest.raises(UnknownNameError, match="did you mean 'quick'"):
        load_plan("quik")
    with pytest.raises(DataError, match=r"Cannot read mine.toml: No such file"):
        load_plan("mine.toml")


@pytest.mark.parametrize(
    "change",
    [
        {"arms": ()},
        {"arms": (Arm("own", (Stage("../up", (SOKOBAN,)),), (SOKOBAN,)),)},
        {"arms": (Arm("own", (Stage("a", ()),), (SOKOBAN,)),)},
        {"arms": (Arm("own", (Stage("a", (SOKOBAN,)),), ()),)},
        {"seeds": ()},
        {"seeds": (-1,)},
    ],
)
def test_a_plan_that_cannot_be_run_is_an_error(change: dict[str, object]) -> None:
    """The error comes when the plan is made, not when it is run."""
    with pytest.raises(InvalidValueError):
        small_plan(**change)


def test_two_arms_cannot_have_one_name() -> None:
    """Their results would be in one folder."""
    stages = [(Stage("a", (SOKOBAN,)),), (Stage("a", (CRAFT,)),)]
    with pytest.raises(InvalidValueError, match="Two different things would be called 'a'"):
        Plan("x", tuple(Arm("own", stage, (SOKOBAN,)) for stage in stages), (0,))


def test_a_style_with_variables_of_the_template_survives_json() -> None:
    """Reader, system message and template variables are read from TOML and from `plan.json`."""
    plan = parse_plan(
        'name = "x"\nseeds = [0]\n[style]\nformat = "functions"\nreader = "lenient"\n'
        'system = "Be brief."\nchat_template_kwargs = {enable_thinking = false}\n'
        '[environments.Sokoban.style]\nwindow = 2\n[cross]\nenvironments = ["Sokoban"]\n'
    )
    style = PromptStyle(
        "functions",
        window=2,
        reader="lenient",
        system="Be brief.",
        chat_template_kwargs={"enable_thinking": False},
    )

    assert plan.style_of(SOKOBAN) == style
    again = Plan.from_dict(json.loads(json.dumps(plan.as_dict())))
    assert again.style_of(SOKOBAN) == style


def test_a_style_reaches_every_environment_that_the_plan_names() -> None:
    """An id whose environment has no table would be played in the default style."""
    text = """
        name = "x"
        [style]
        format = "action"
        [environments.TextCraft]
        [[arm]]
        name = "a"
        stages = [["rftgen/Sokoban-easy-v0"]]
        test = ["rftgen/TextCraft-easy-v0"]
    """
    with pytest.raises(InvalidValueError, match=r"style.* reach Sokoban.*; add \[environments"):
        parse_plan(text)

    added = parse_plan(f"{text}\n[environments.Sokoban]\n")
    assert added.style_of("rftgen/Sokoban-easy-v0").format == "action"
    parse_plan(text.replace("[style]", "").replace('format = "action"', ""))
