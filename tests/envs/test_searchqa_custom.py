"""SearchQA with a user's corpus and questions."""

import json
import pathlib

import pytest

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.searchqa.corpus import read_corpus
from agentgym_gen.envs.searchqa.question_formats import read_questions
from agentgym_gen.envs.searchqa.questions import Question
from agentgym_gen.envs.searchqa.tasks import CustomTasks
from agentgym_gen.errors import DataError, InvalidValueError, UnknownNameError
from agentgym_gen.testing import check_world

WORLD = "agentgym_gen.envs.searchqa:SearchQA"
DATA = pathlib.Path(__file__).parents[3] / "shared" / "data" / "searchqa"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no official questions here")

HOTPOTQA = {
    "_id": "1", "question": "Who?", "answer": "Ann", "level": "hard", "type": "bridge",
    "supporting_facts": [["A", 0], ["B", 2], ["A", 1]], "context": [],
}  # fmt: skip
TWO_WIKI = {
    "_id": "2", "question": "When?", "answer": "1879", "type": "compositional",
    "supporting_facts": [["A", 0], ["B", 0]], "evidences": [["A", "x", "B"]], "context": [],
}  # fmt: skip
MUSIQUE = {
    "id": "3", "question": "Where?", "answer": "Lima", "answer_aliases": ["City of Lima"],
    "answerable": True,
    "paragraphs": [{"idx": 0, "title": "A"}, {"idx": 1, "title": "B"}, {"idx": 2, "title": "C"}],
    "question_decomposition": [
        {"paragraph_support_idx": 2}, {"paragraph_support_idx": 0}, {"paragraph_support_idx": 1},
    ],
}  # fmt: skip
NQ = {"question": "why", "answer": ["so", "thus"]}
FLASHRAG = {"id": "test_0", "question": "how", "golden_answers": ["well"], "metadata": {}}


def write_lines(path: pathlib.Path, *rows: object) -> pathlib.Path:
    """Write *rows* to *path* as JSON lines, and return it."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


class TestFormats:
    """Five data sets, recognized by their keys."""

    @pytest.mark.parametrize(
        ("row", "tier", "answers", "titles"),
        [
            (HOTPOTQA, "hard", ("Ann",), ("A", "B")),
            (TWO_WIKI, "medium", ("1879",), ("A", "B")),
            (MUSIQUE, "hard", ("Lima", "City of Lima"), ("C", "A", "B")),
            (NQ, "easy", ("so", "thus"), ()),
            (FLASHRAG, "easy", ("well",), ()),
            ({"question": "q", "answers": ["a"]}, "easy", ("a",), ()),
            ({"question": "q", "answer": "a"}, "easy", ("a",), ()),
        ],
    )
    def test_format(
        self,
        tmp_path: pathlib.Path,
        row: dict[str, object],
        tier: str,
        answers: tuple[str, ...],
        titles: tuple[str, ...],
    ) -> None:
        """Tier, answers and chain are read from where each format has them."""
        [(question_tier, question)] = read_questions(write_lines(tmp_path / "q.jsonl", row))

        assert (question_tier, question.answers) == (tier, answers)
        assert tuple(hop.title for hop in question.hops) == titles

    def test_a_list_is_read_like_lines(self, tmp_path: pathlib.Path) -> None:
        """A JSON list is read like JSON lines with the same rows."""
        path = tmp_path / "q.json"
        path.write_text(json.dumps([HOTPOTQA, NQ]), encoding="utf-8")

        assert [question.text for _, question in read_questions(path)] == ["Who?", "why"]

    def test_unanswerable_and_repeated_rows_are_left_out(self, tmp_path: pathlib.Path) -> None:
        """Unanswerable rows, which MuSiQue's full set has, and repeated ones are left out."""
        rows = [NQ, NQ, {**MUSIQUE, "answerable": False}]

        assert len(read_questions(write_lines(tmp_path / "q.jsonl", *rows))) == 1

    @pytest.mark.parametrize(
        ("bad", "why"),
        [
            ("{", "Bad JSON in line 2"),
            ('{"text": "no question"}', "keys \\['text'\\]"),
            ("3", "line 2 .* no JSON object"),
            ('{"question": "q", "answer": []}', "Bad question in line 2"),
            ('{"question": "", "answer": "a"}', "Bad question in line 2"),
            ('{"question": "q", "golden_answers": [3]}', "Bad question in line 2"),
            ('{"question": "q", "answer": "a", "supporting_facts": [3]}', "Bad question in line 2"),
        ],
    )
    def test_a_bad_line_is_named_by_its_number(
        self, tmp_path: pathlib.Path, bad: str, why: str
    ) -> None:
        """A bad line is an error with its number and what is wrong with it."""
        path = write_lines(tmp_path / "q.jsonl", NQ)
        path.write_text(path.read_text("utf-8") + bad + "\n", encoding="utf-8")
        with pytest.raises(DataError, match=why):
            read_questions(path)

    def test_files_that_are_not_there(self, tmp_path: pathlib.Path) -> None:
        """A missing file is an error with its name, and so is one without a question."""
        with pytest.raises(DataError, match=r"missing\.jsonl"):
            read_questions(tmp_path / "missing.jsonl")
        with pytest.raises(DataError, match="No question"):
            read_questions(write_lines(tmp_path / "empty.jsonl"))


class TestSplits:
    """Tiers and splits of a user's questions."""

    def questions(self, number: int, tier: str = "medium") -> list[tuple[str, Question]]:
        """Return *number* questions of *tier*."""
        return [(tier, Question(f"{tier} {n}?", (str(n),))) for n in range(number)]

    def test_one_file_is_divided(self) -> None:
        """One file is divided 70 : 15 : 15 in each tier, and no question is in two splits."""
        tasks = CustomTasks(self.questions(40))
        texts = [
            tasks.make("medium", split, index).content.text
            for split in tasks.splits
            for index in range(tasks.size("medium", split))
        ]

        sizes = {split: tasks.size("medium", split) for split in tasks.splits}
        assert sizes == {"train": 28, "valid": 6, "test": 6}
        assert len(set(texts)) == 40

    def test_files_for_splits_are_kept(self) -> None:
        """Files for splits are not divided again, and other splits do not exist."""
        by_split = {"train": self.questions(3), "test": self.questions(9)[3:]}
        tasks = CustomTasks(by_split)

        assert (tasks.tiers, tasks.splits) == (("medium",), ("train", "test"))

    def test_a_question_in_two_splits(self) -> None:
        """A question in two splits is an error that quotes it."""
        with pytest.raises(InvalidValueError, match="medium 0"):
            CustomTasks({"train": self.questions(2), "test": self.questions(1)})

    def test_a_cell_without_questions(self) -> None:
        """A tier without questions in one split is an error that names both."""
        by_split = {"train": self.questions(2, "easy"), "test": self.questions(2, "hard")}
        with pytest.raises(InvalidValueError, match=r"easy.*test"):
            CustomTasks(by_split)

    def test_unknown_split(self) -> None:
        """An unknown split is an error that names it."""
        with pytest.raises(UnknownNameError, match="dev"):
            CustomTasks({"dev": self.questions(2)})

    def test_tiers_can_be_chosen(self) -> None:
        """Only the chosen tiers are played."""
        tasks = CustomTasks([*self.questions(9), ("hard", Question("h?", ("x",)))], ("medium",))

        assert tasks.tiers == ("medium",)


class TestCorpora:
    """A user's passages."""

    def test_json_lines(self, tmp_path: pathlib.Path) -> None:
        """A line has title and text, or Search-R1's contents."""
        rows = [{"title": "A", "text": "one"}, {"id": "1", "contents": '"B"\ntwo\nthree'}]
        corpus = read_corpus(write_lines(tmp_path / "c.jsonl", *rows))

        assert [(passage.title, passage.text) for passage in corpus] == [
            ("A", "one"),
            ('"B"', "two\nthree"),
        ]

    def test_folder(self, tmp_path: pathlib.Path) -> None:
        """A text's title is its file's name, and files are read in the order of their names."""
        (tmp_path / "b.txt").write_text("two\n lines", encoding="utf-8")
        (tmp_path / "a.md").write_text("one", encoding="utf-8")
        (tmp_path / "c.png").write_bytes(b"\xff")
        write_lines(tmp_path / "d.jsonl", {"title": "D", "text": "three"})

        passages = [(passage.title, passage.text) for passage in read_corpus(tmp_path)]
        assert passages == [("a", "one"), ("b", "two lines"), ("D", "three")]

    @pytest.mark.parametrize("bad", ["{", "[]", '{"title": "x"}', '{"title": 1, "text": "x"}'])
    def test_a_bad_line_is_named_by_its_number(self, tmp_path: pathlib.Path, bad: str) -> None:
        """A bad line is an error with its number and the accepted keys."""
        path = tmp_path / "c.jsonl"
        path.write_text('{"title": "A", "text": "one"}\n\n' + bad, encoding="utf-8")
        with pytest.raises(DataError, match=r"line 3 .*title"):
            read_corpus(path)

    def test_nothing_to_read(self, tmp_path: pathlib.Path) -> None:
        """A folder without passages and a missing file are errors with their names."""
        with pytest.raises(DataError, match=tmp_path.name):
            read_corpus(tmp_path)
        with pytest.raises(DataError, match="missing"):
            read_corpus(tmp_path / "missing.jsonl")

    def test_fingerprint_changes_with_the_passages(self, tmp_path: pathlib.Path) -> None:
        """Another passage gives another fingerprint, or an old index would be used."""
        path = tmp_path / "c.jsonl"
        fingerprints = {
            read_corpus(write_lines(path, {"title": "A", "text": text})).fingerprint
            for text in ("one", "two")
        }

        assert len(fingerprints) == 2


def test_custom_questions_over_a_custom_corpus(tmp_path: pathlib.Path) -> None:
    """A user's questions and passages pass all checks of the contract."""
    passages = [{"title": f"T{n}", "text": f"The word of T{n} is w{n}."} for n in range(9)]
    rows = [
        {"question": f"Which word?{n}", "answer": f"w{n}", "supporting_facts": [[f"T{n}", 0]]}
        for n in range(9)
    ]
    corpus = write_lines(tmp_path / "c.jsonl", *passages)
    questions = write_lines(tmp_path / "q.jsonl", *rows)

    options = {"corpus": str(corpus), "questions": str(questions)}
    check_world(WORLD, tasks_per_split=1, compared_tasks=1, options=options)


def test_tiers_choose_among_questions_of_ones_own(tmp_path: pathlib.Path) -> None:
    """A text has commas between them; what is no tier, or chooses among ours, is refused."""
    hops = [[[f"T{n}", 0] for n in range(number)] for number in (1, 2, 3, 4)]
    rows = [
        {"question": f"Which?{n}{m}", "answer": "w", "supporting_facts": facts}
        for n, facts in enumerate(hops)
        for m in range(9)
    ]
    own = {"questions": str(write_lines(tmp_path / "q.jsonl", *rows))}
    all_tiers = TextEnv(WORLD, **own).tiers  # type: ignore[arg-type]
    first = TextEnv(WORLD, **own, tiers=all_tiers[0])  # type: ignore[arg-type]
    text = TextEnv(WORLD, **own, tiers=",".join(all_tiers))  # type: ignore[arg-type]

    assert len(all_tiers) > 1
    assert (first.tiers, text.tiers) == (all_tiers[:1], all_tiers)
    with pytest.raises(UnknownNameError, match="Unknown tier 'nonsense'"):
        TextEnv(WORLD, **own, tiers=("hard", "nonsense"))  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="chooses among your own `questions`"):
        TextEnv(WORLD, tiers="hard")
    with pytest.raises(UnknownNameError, match="Unknown facts 'nonsense'"):
        TextEnv(WORLD, **own, facts="nonsense")  # type: ignore[arg-type]


def test_a_custom_corpus_that_changes_is_read_again(tmp_path: pathlib.Path) -> None:
    """An environment that is made after a change searches the changed corpus."""
    path = write_lines(tmp_path / "c.jsonl", {"title": "A", "text": "lama"})
    questions = write_lines(
        tmp_path / "q.jsonl", *({"question": f"{n}", "answer": "a"} for n in "123")
    )
    options = {"corpus": str(path), "questions": str(questions)}
    observations = []
    for text in ("lama", "puma"):
        write_lines(path, {"title": "A", "text": text}, {"title": "B", "text": text * 2})
        env = TextEnv(WORLD, **options)  # type: ignore[arg-type]
        env.reset(seed=0)
        observations.append(env.step("<search>puma</search>")[0])

    assert observations[0] == "<information></information>"
    assert "puma" in observations[1]


@needs_data
class TestOfficial:
    """HotpotQA and MuSiQue as they were published."""

    def test_hotpotqa(self) -> None:
        """The 100 questions of HotpotQA have their levels and two titles each."""
        pairs = read_questions(DATA / "hotpotqa_train.json")
        tiers = [tier for tier, _ in pairs]

        assert [tiers.count(tier) for tier in ("easy", "medium", "hard")] == [16, 69, 15]
        assert {len(question.hops) for _, question in pairs} == {2}
        assert sum(question.kind == "comparison" for _, question in pairs) == 22

    def test_musique(self) -> None:
        """The 100 questions of MuSiQue have 2, 3 and 4 hops."""
        pairs = read_questions(DATA / "musique_train.json")

        assert [tier for tier, _ in pairs].count("medium") == 68
        assert [question.kind for _, question in pairs].count("4hop") == 5
        assert all(question.hops for _, question in pairs)

    def test_expert_wins_musique_over_its_own_passages(self, tmp_path: pathlib.Path) -> None:
        """The expert wins, and finds most of the passages by their titles."""
        rows = json.loads((DATA / "musique_train_corpus.json").read_text("utf-8"))
        corpus = write_lines(tmp_path / "c.jsonl", *rows)
        options = {"corpus": str(corpus), "questions": str(DATA / "musique_train.json")}
        env = TextEnv(WORLD, tier="medium", split="train", **options)  # type: ignore[arg-type]
        hops_found, hops = 0, 0
        for index in range(env.world.tasks.size("medium", "train")):
            _, info = env.reset(options={"task_id": f"searchqa/medium/train/{index}"})
            while action := env.expert_action():
                *_, over, _, info = env.step(action)
                if over:
                    break
            assert info["success"]
            hops_found, hops = hops_found + info["retrieved_hops"], hops + info["hops"]

        assert hops_found / hops > 0.9
