"""A model behind a chat endpoint, against a strict server in a process of its own."""

from __future__ import annotations

import email.utils
import gc
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator

import aiohttp
import pytest
from fake_chat_server import KEY, MODEL, FakeChatServer, fake_chat_server
from systems import needs

from agentgym_gen import Registered, register
from agentgym_gen.agents import (
    ChatPolicy,
    Completion,
    Episode,
    PromptStyle,
    Request,
    Session,
    Usage,
    run,
)
from agentgym_gen.agents.chat_replies import RefusedError, read_reply, retry_after
from agentgym_gen.errors import (
    AgentGymGenError,
    BackendError,
    InvalidValueError,
    MissingExtraError,
    PolicyError,
)
from agentgym_gen.seeding import stream

pytest.importorskip("aiohttp")

ENV = "rftgen/Corridor-medium-v0"
PLAIN = PromptStyle("action", instruction=False)
Maker = Callable[..., ChatPolicy]


@pytest.fixture(scope="module")
def server() -> Iterator[FakeChatServer]:
    """Return the running server."""
    register(Registered("Corridor", "toy_world:CorridorWorld"))
    with fake_chat_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no proxy of the machine come between."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make() -> Iterator[Maker]:
    """Return a function that makes a policy, which is closed after the test."""
    policies: list[ChatPolicy] = []

    def build(url: str, model: str = MODEL, **settings: object) -> ChatPolicy:
        policies.append(ChatPolicy(url, model, **settings))  # type: ignore[arg-type]
        return policies[-1]

    yield build
    for policy in policies:
        policy.close()


def episodes(number: int) -> list[Episode]:
    """Return episodes of the first tasks."""
    options = {"max_turns": 6}
    return [Episode(ENV, f"corridor/medium/train/{n}", options=options) for n in range(number)]


def ask(policy: ChatPolicy) -> Completion:
    """Return the answer to the first prompt of an episode."""
    session = Session(ENV, "corridor/medium/train/1", style=PLAIN)
    session.start()
    return policy.answer(Request(0, 0, session.messages, PLAIN, session.env, stream("ask")))


def test_a_model_behind_an_endpoint_plays(server: FakeChatServer, make: Maker) -> None:
    """Each turn of each episode is one request, and its actions are the answers."""
    url = server.url("plays")
    played = run(episodes(5), make(url), style=PLAIN)

    assert sum(len(t.turns) for t in played) == len(server.log(url)) > 5
    assert {t.end_reason for t in played} <= {"success", "failure", "turn_limit"}


def test_the_order_of_the_answers_changes_nothing(server: FakeChatServer, make: Maker) -> None:
    """Answers that overtake each other give the episodes that one worker plays."""
    one, many = (
        run(episodes(10), make(server.url(f"order{n}", "jitter")), style=PLAIN, max_concurrent=n)
        for n in (1, 10)
    )

    assert one == many


@pytest.mark.parametrize("behaviour", ["calls", "objects"])
def test_a_model_behind_an_endpoint_calls_functions(
    server: FakeChatServer, make: Maker, behaviour: str
) -> None:
    """The functions are sent as ``tools``, and a call is carried out and answered by its id."""
    url, style = server.url("functions", behaviour), PromptStyle("functions")
    played = run(episodes(5), make(url), style=style)
    log = server.log(url)

    assert {t.end_reason for t in played} <= {"success", "failure", "turn_limit"}
    assert sum(turn.valid for t in played for turn in t.turns) > 3
    assert all(t.invalid_turns < len(t.turns) for t in played)
    names = [tool["function"]["name"] for tool in log[0]["body"]["tools"]]
    assert names == ["walk_to", "open", "wait"]
    assert log[-1]["body"]["messages"][-1]["role"] == "tool"
    assert played[0].turns[0].completion.text.startswith('<tool_call>\n{"name": "')


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("twocalls", "it is not one function call"), ("badcall", "it is not one function call")],
)
def test_a_wrong_call_costs_a_turn(
    server: FakeChatServer, make: Maker, behaviour: str, reason: str
) -> None:
    """Two calls, and one whose arguments are no JSON, are refused, and the next turn is asked."""
    url, style = server.url("wrong", f"{behaviour},calls"), PromptStyle("functions")
    (played,) = run(episodes(1), make(url), style=style)

    assert not played.turns[0].valid
    assert reason in played.turns[1].observation
    assert server.log(url)[1]["body"]["messages"][-1]["role"] == "user"


def test_calls_of_anything_else_are_no_answer(server: FakeChatServer, make: Maker) -> None:
    """An answer whose calls have another type is tried again."""
    url = server.url("custom", "nofunction,calls")
    run(episodes(1), make(url), style=PromptStyle("functions"))

    assert server.log(url)[0]["body"] == server.log(url)[1]["body"]


def test_settings_of_the_template_are_sent(server: FakeChatServer, make: Maker) -> None:
    """A server that renders chat templates, such as vLLM, gets their variables."""
    style = PromptStyle("action", chat_template_kwargs={"enable_thinking": False})
    for name, sent in (("kwargs", style), ("none", PLAIN)):
        run(episodes(1), make(server.url(name)), style=sent)
        body = server.log(server.url(name))[0]["body"]

        expected = {"enable_thinking": False} if name == "kwargs" else None
        assert body.get("chat_template_kwargs") == expected
    more = {"chat_template_kwargs": {"enable_thinking": True, "language": "en"}}
    run(episodes(1), make(server.url("more"), extra=more), style=style)
    body = server.log(server.url("more"))[0]["body"]
    assert body["chat_template_kwargs"] == {"enable_thinking": False, "language": "en"}


def test_no_more_connections_are_open_than_allowed(server: FakeChatServer, make: Maker) -> None:
    """Ten episodes share three connections, and the wait for one is no part of the timeout."""
    url = server.url("connections", "jitter")
    run(episodes(10), make(url, connections=3), style=PLAIN, max_concurrent=10)

    assert max(entry["inside"] for entry in server.log(url)) == 3


def test_a_request_has_the_settings(server: FakeChatServer, make: Maker) -> None:
    """Settings that are None are left to the server, and more fields can be given."""
    full, bare = server.url("full"), server.url("bare")
    ask(make(full, temperature=0.7, max_tokens=9, extra={"top_p": 0.5}))
    ask(make(bare, temperature=None, max_tokens=None, extra={"seed": None}))
    (entry,), (plain,) = server.log(full), server.log(bare)
    seed = int(stream("ask").integers(1 << 31))

    assert set(plain["body"]) == {"model", "messages"}
    assert entry["body"] == plain["body"] | {
        "temperature": 0.7,
        "max_tokens": 9,
        "top_p": 0.5,
        "seed": seed,
    }


@pytest.mark.parametrize(
    "fault", ["500", "half", "nochoice", "parts", "cut", "drop", "garbage", "huge"]
)
def test_a_passing_fault_is_tried_again(server: FakeChatServer, make: Maker, fault: str) -> None:
    """The second attempt has the same request and is answered."""
    url = server.url("again", f"{fault},ok")
    policy = make(url)

    assert ask(policy).text
    first, second = server.log(url)
    assert first["body"] == second["body"]
    assert (policy.usage.answers, policy.usage.retries) == (1, 1)


@pytest.mark.parametrize("fault", ["429", "date"])
def test_a_server_gets_the_pause_that_it_asks_for(
    server: FakeChatServer, make: Maker, fault: str
) -> None:
    """Both forms of ``Retry-After`` are kept: a number of seconds, and a date."""
    url = server.url("pause", f"{fault},ok")
    ask(make(url))

    assert server.pauses(url)[0] >= (1 if fault == "429" else 0.9)


def test_pauses_double(server: FakeChatServer, make: Maker) -> None:
    """The first pause is half a second, the next one a second."""
    url = server.url("double", "500,500,ok")
    ask(make(url))
    first, second = server.pauses(url)

    assert first >= 0.5
    assert second >= 1


def test_a_pause_that_is_too_long_is_not_waited_for(server: FakeChatServer, make: Maker) -> None:
    """A server that asks for a day is not asked twice."""
    url = server.url("later", "later,ok")
    with pytest.raises(BackendError, match=r"asks for a pause of 86400 s.*Come back tomorrow"):
        ask(make(url))

    assert len(server.log(url)) == 1


@pytest.mark.parametrize("fault", ["never", "slow", "slowhead"])
def test_an_answer_that_is_late_is_a_failure(
    server: FakeChatServer, make: Maker, fault: str
) -> None:
    """A byte now and then, of the headers or of the content, does not prolong the time."""
    policy = make(server.url("late", fault), timeout=0.5, retries=0)
    with pytest.raises(BackendError, match=r"in 1 attempt; the last: no whole answer within 0.5 s"):
        ask(policy)


def test_attempts_are_used_up(server: FakeChatServer, make: Maker) -> None:
    """The error has their number and the last reason, and the reason is one line."""
    url = server.url("used up", "500").replace(" ", "_")
    with pytest.raises(BackendError) as caught:
        ask(make(url, retries=1))

    sentence = "gave no answer in 2 attempts; the last: 500: <html>Internal Server Error</html>"
    assert str(caught.value) == f"The server at {url!r} {sentence}"
    assert len(server.log(url)) == 2


def everything_of(error: BaseException | None) -> str:
    """Return all that an error, its causes and contexts say, as text and as Python would."""
    text = ""
    while error is not None:
        text += "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return text


def test_a_wrong_key_is_one_sentence(
    server: FakeChatServer, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the variable, is not tried again, and does not repeat the key that is sent back."""
    monkeypatch.setenv("FAKE_KEY", "sk-wrong-0815")
    url = server.url("wrong", "key")
    with pytest.raises(PolicyError) as caught:
        ask(make(url, api_key_env="FAKE_KEY"))

    assert str(caught.value) == (
        f"The server at {url!r} refuses access (401: Incorrect API key provided: ***.); set the "
        "environment variable 'FAKE_KEY' to a key that it accepts"
    )
    assert "sk-wrong" not in everything_of(caught.value)
    assert len(server.log(url)) == 1


def test_a_key_is_taken_out_as_json_spells_it_and_as_a_gateway_lists_it(
    server: FakeChatServer, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an escaped quote in it nor a list of models with it shows the key."""
    monkeypatch.setenv("FAKE_KEY", 'sk/"0815')
    with pytest.raises(PolicyError, match=r"provided: \*\*\*\.") as refused:
        ask(make(server.url("escaped", "key"), api_key_env="FAKE_KEY"))
    with pytest.raises(PolicyError, match=rf"it has: {MODEL} Bearer \*\*\*$") as listed:
        ask(make(server.url("listed", "anykey"), "fake-7b", api_key_env="FAKE_KEY"))

    assert "0815" not in everything_of(refused.value) + everything_of(listed.value)


def test_an_answer_with_the_words_of_the_key_stays_as_it_is(
    server: FakeChatServer, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server without keys often gets a word as one; the model may say it, and JSON needs it."""
    without = run(episodes(3), make(server.url("nokey")), style=PLAIN)
    for word in ("door", "1", "tokens"):
        monkeypatch.setenv("FAKE_KEY", word)
        policy = make(server.url("word", "anykey"), api_key_env="FAKE_KEY")

        assert run(episodes(3), policy, style=PLAIN) == without
        assert policy.usage.uncounted == 0


def test_a_key_that_is_missing_is_one_sentence(server: FakeChatServer, make: Maker) -> None:
    """A server that wants a key and gets none: the sentence names the argument."""
    with pytest.raises(PolicyError, match=r"\(401: .*\); name the environment variable .*`api_key"):
        ask(make(server.url("missing", "key")))


@pytest.mark.parametrize("fault", ["key", "drop", "half", "cut", "garbage", "500", "later"])
def test_the_key_is_sent_and_never_shown(
    server: FakeChatServer,
    make: Maker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    fault: str,
) -> None:
    """It is in no repr, attribute, log, output or error, whatever goes wrong."""
    monkeypatch.setenv("FAKE_KEY", f"{KEY}\n")
    caplog.set_level(logging.DEBUG)
    policy = make(server.url("shown", f"key,{fault}"), api_key_env="FAKE_KEY", retries=0)
    ask(policy)
    shown = ""
    try:
        ask(policy)
    except AgentGymGenError as error:
        shown = everything_of(error)
    shown += repr(policy) + repr(vars(policy)) + caplog.text + "".join(capfd.readouterr())

    assert policy.usage.answers >= 1
    assert KEY not in shown


def test_an_unknown_model_is_one_sentence(server: FakeChatServer, make: Maker) -> None:
    """It names the models that the server has, and is not tried again."""
    url = server.url("unknown")
    with pytest.raises(PolicyError) as caught:
        ask(make(url, "fake-7b"))

    assert str(caught.value) == (
        f"The server at {url!r} has no 'fake-7b' (404: The model `fake-7b` does not exist.); "
        f"it has: {MODEL}"
    )
    assert len(server.log(url)) == 1


def test_a_wrong_address_is_one_sentence(server: FakeChatServer, make: Maker) -> None:
    """Where no models can be listed, the sentence says how an address ends."""
    with pytest.raises(PolicyError, match=r"has no 'fake-8b' \(404: Not Found\); .* ends in '/v1'"):
        ask(make(server.url("nolist").removesuffix("/v1")))


def closed_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def test_a_server_that_is_down_is_one_sentence(server: FakeChatServer, make: Maker) -> None:
    """It ends a run, because no episode would have another answer."""
    url = f"http://127.0.0.1:{closed_port()}/v1"
    sentence = f"No server answers at {url!r} (Connection refused); start it, or correct `base_url`"
    with pytest.raises(PolicyError) as caught:
        run(episodes(20), make(url, retries=0), style=PLAIN)

    assert str(caught.value) == sentence


def test_a_server_that_goes_away_ends_episodes(make: Maker) -> None:
    """Once it has answered, it may come back: its absence is the failure of an episode."""
    with fake_chat_server() as leaving:
        policy = make(leaving.url("leaving"), retries=0)
        ask(policy)
    with pytest.raises(BackendError, match="gave no answer in 1 attempt"):
        ask(policy)


def test_a_proxy_of_the_environment_is_used(
    server: FakeChatServer, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that does not exist is reached through it, but not if ``NO_PROXY`` names the host."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("no_proxy", "other.invalid")

    assert ask(make("http://some.invalid/proxy:ok/v1")).text
    with pytest.raises(PolicyError, match=r"at 'http://other\.invalid/.*\((?!Unknown error)\w"):
        ask(make("http://other.invalid/proxy:ok/v1", retries=0))

    monkeypatch.setenv("http_proxy", f"127.0.0.1:{server.port}")  # as curl takes it
    assert ask(make("http://some.invalid/proxy:ok/v1")).text
    for wrong in ("http://me:geheim@[bad", "http://geheim..b:1", "socks5://geheim:1080"):
        monkeypatch.setenv("http_proxy", wrong)
        with pytest.raises(InvalidValueError, match="'http_proxy' is the address of an HTTP") as no:
            make("http://some.invalid/proxy:ok/v1")
        assert "geheim" not in str(no.value)


def test_an_outage_stops_the_run(server: FakeChatServer, make: Maker) -> None:
    """Three episodes in a row without an answer are enough here."""
    policy = make(server.url("outage", f"{'ok,' * 30}500"), retries=0)
    with pytest.raises(PolicyError, match=r"3 answers in a row failed.*500: <html>"):
        run(episodes(50), policy, style=PLAIN, max_concurrent=4, max_failures=3)


def test_a_context_that_is_full_truncates_the_episode(server: FakeChatServer, make: Maker) -> None:
    """An episode of more turns than the model can read ends with ``context_limit``."""
    url = server.url("context", "context")
    played = run(episodes(6), make(url), style=PLAIN)
    full = [t for t in played if t.end_reason == "context_limit"]

    assert full
    assert {len(t.turns) for t in full} == {3}
    assert all("maximum context length" in t.error for t in full)


def test_a_full_context_is_found_behind_the_words_of_a_gateway(
    server: FakeChatServer, make: Maker
) -> None:
    """What an error repeats is shorter than what is read of a refusal."""
    (played,) = run(episodes(1), make(server.url("gateway", "gateway")), style=PLAIN)

    assert played.end_reason == "context_limit"
    assert len(played.error) < 400


def test_an_answer_may_be_truncated_or_empty(server: FakeChatServer, make: Maker) -> None:
    """``finish_reason`` length is a truncated completion; a call without text is an empty one."""
    assert ask(make(server.url("length", "length"))).truncated
    assert ask(make(server.url("null", "null"))) == Completion("")
    assert ask(make(server.url("surrogate", "surrogate"))).text == "half ? a pair"


def test_usage_is_summed(server: FakeChatServer, make: Maker) -> None:
    """A first prompt has ten tokens here, and an answer has three; prices are per million."""
    policy = make(server.url("usage"), prices=(2.0, 10.0))
    ask(policy)
    ask(policy)

    assert policy.usage == Usage(2, 0, 20, 6, 0, pytest.approx(100e-6))


@pytest.mark.parametrize("fault", ["nousage", "oddusage"])
def test_usage_that_is_missing_is_told(server: FakeChatServer, make: Maker, fault: str) -> None:
    """The answer counts, and is said to have no tokens counted."""
    policy = make(server.url("no usage".replace(" ", "-"), fault))
    ask(policy)

    assert policy.usage == Usage(answers=1, uncounted=1)


@pytest.mark.parametrize("fault", ["400", "moved", "quota"])
def test_settings_that_are_refused_end_the_run(
    server: FakeChatServer, make: Maker, fault: str
) -> None:
    """What is refused before there was an answer is no matter of the prompt, nor tried again."""
    url = server.url("refused", f"{fault},ok")
    with pytest.raises(PolicyError, match=r"refuses the requests \((400|307|429): "):
        ask(make(url))

    assert len(server.log(url)) == 1


def test_a_prompt_that_is_refused_ends_its_episode(server: FakeChatServer, make: Maker) -> None:
    """After an answer a refusal concerns the prompt."""
    policy = make(server.url("prompt", "ok,400"))
    ask(policy)
    with pytest.raises(BackendError, match=r"refused a prompt \(400: Unsupported value"):
        ask(policy)


def test_a_closed_policy_gives_no_answer(server: FakeChatServer) -> None:
    """Closing twice does no harm, and an answer after it is an error at once."""
    with ChatPolicy(server.url("closed"), MODEL) as policy:
        assert ask(policy).text
    with pytest.raises(BackendError, match="the policy is closed"):
        ask(policy)
    policy.close()


@needs("POSIX", "a fork")
def test_a_forked_child_is_told_to_make_its_own(server: FakeChatServer, make: Maker) -> None:
    """Its answer fails at once, since the thread of the connections is the parent's."""
    policy = make(server.url("fork"), retries=0)
    ask(policy)
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of 3.12: a fork with threads
        child = os.fork()
    if child == 0:
        try:
            ask(policy)
        except BackendError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as answer:
        sentence = answer.read()
    os.waitpid(child, 0)

    assert sentence.endswith("the policy is closed, or was made by another process")


def test_a_policy_that_nobody_has_any_more_ends_its_thread(server: FakeChatServer) -> None:
    """It needs no `close`: its connections end with it."""
    before = set(threading.enumerate())
    policy = ChatPolicy(server.url("dropped"), MODEL)
    ask(policy)
    (thread,) = set(threading.enumerate()) - before
    del policy
    gc.collect()

    assert not thread.is_alive()


def test_closing_ends_the_answers_that_are_under_way(server: FakeChatServer) -> None:
    """A thread that waits for an answer gets an error at once, not after a minute."""
    policy = ChatPolicy(server.url("ending", "never"), MODEL)
    errors: list[str] = []

    def wait() -> None:
        try:
            ask(policy)
        except BackendError as error:
            errors.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    while not server.log(server.url("ending", "never")):
        time.sleep(0.01)
    policy.close()
    thread.join(30)

    assert len(errors) == 1
    assert errors[0].endswith("the policy was closed meanwhile")


def test_a_program_that_closes_nothing_ends_in_silence(server: FakeChatServer) -> None:
    """No warning of an open connection, and no thread that keeps the process."""
    code = (
        "from agentgym_gen import ChatPolicy, Episode, run\n"
        f"policy = ChatPolicy({server.url('silence')!r}, {MODEL!r})\n"
        "run([Episode('rftgen/Sokoban-easy-v0', 'sokoban/easy/test/1')], policy)\n"
        "print(policy.usage.answers > 0)\n"
    )
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", code]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (process.stdout, process.stderr) == ("True\n", "")


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence has the command that installs it."""
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(MissingExtraError) as caught:
        ChatPolicy("http://localhost:8000/v1", MODEL)

    assert str(caught.value) == (
        "A chat endpoint needs 'aiohttp', which is not installed; "
        "run: pip install 'agentgym-gen[api]'"
    )


def test_importing_the_package_imports_no_client() -> None:
    """`ChatPolicy` can be imported where the extra is not installed, and quickly."""
    code = "import sys; from agentgym_gen import ChatPolicy; print('aiohttp' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert process.stdout == "False\n"


@pytest.mark.parametrize(
    ("url", "settings", "words"),
    [
        ("localhost:8000", {}, "`base_url` is an address such as .* not 'localhost:8000'"),
        ("http://", {}, "`base_url`"),
        ("ftp://host/v1", {}, "`base_url`"),
        ("http://host:99999/v1", {}, "`base_url`"),
        ("http://host/v1?key=x", {}, "`base_url`"),
        ("http://a..b/v1", {}, "`base_url`"),
        ("http://host/v1", {"retries": -1}, "`retries` is 0 or more, not -1"),
        ("http://host/v1", {"timeout": 0}, "`timeout` is a positive number of seconds, not 0"),
        ("http://host/v1", {"timeout": float("nan")}, "`timeout`"),
        ("http://host/v1", {"connections": 0}, "`connections` is at least 1, not 0"),
        ("http://host/v1", {"extra": {"stream": True}}, "`extra` holds 'stream'"),
        ("http://host/v1", {"extra": {"top_p": {1}}}, "`extra` is no JSON object"),
        ("http://host/v1", {"extra": {"chat_template_kwargs": "x"}}, "'chat_template_kwargs' of"),
        ("http://host/v1", {"extra": {"top_p": float("nan")}}, "`extra` is no JSON object"),
        ("http://host/v1", {"api_key_env": "NO_SUCH_KEY"}, "'NO_SUCH_KEY' holds no key; set it"),
    ],
)
def test_wrong_arguments_are_named(url: str, settings: dict[str, object], words: str) -> None:
    """A value outside what is accepted is one sentence, before anything is asked."""
    with pytest.raises(InvalidValueError, match=words):
        ChatPolicy(url, MODEL, **settings)  # type: ignore[arg-type]


def test_secrets_in_wrong_arguments_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a password in an address nor a key with strange characters is in the error."""
    monkeypatch.setenv("FAKE_KEY", "gehe\u00efm")
    for url, settings in (
        ("https://me:geheim@host/v1", {}),
        ("https://host/v1", {"api_key_env": "FAKE_KEY"}),
    ):
        with pytest.raises(InvalidValueError) as caught:
            ChatPolicy(url, MODEL, **settings)
        assert "gehe" not in everything_of(caught.value)


TOO_LONG = {
    "OpenAI": (400, {"message": "Too many tokens", "code": "context_length_exceeded"}),
    "vLLM": (400, {"message": "This model's maximum context length is 4096 tokens. However, ..."}),
    "vLLM 1": (400, {"message": "The decoder prompt (length 99) is longer than the maximum model"}),
    "SGLang": (400, {"message": "The input (9 tokens) is longer than the model's context length"}),
    "llama.cpp": (500, {"message": "Context size has been exceeded.", "type": "server_error"}),
    "llama.cpp 1": (400, {"message": "(9 tokens)", "type": "exceed_context_size_error"}),
    "Ollama": (400, {"message": "the input length exceeds the context length"}),
    "Anthropic": (400, {"message": "prompt is too long: 210000 tokens > 200000 maximum"}),
}


@pytest.mark.parametrize("server_name", TOO_LONG)
def test_every_server_says_in_its_own_words_that_a_prompt_is_too_long(server_name: str) -> None:
    """Its words are understood with the status that it sends."""
    status, error = TOO_LONG[server_name]
    with pytest.raises(RefusedError) as caught:
        read_reply(status, {}, json.dumps({"error": error}).encode())

    assert caught.value.too_long


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("1.5", 1.5), ("", 0.0), ("soon", 0.0), ("-3", 0.0), ("9" * 99, 0.0)],
)
def test_retry_after_is_a_number_of_seconds(value: str, seconds: float) -> None:
    """What is no number and no date asks for no pause."""
    assert retry_after({"Retry-After": value}) == seconds


def test_retry_after_may_be_a_date() -> None:
    """A date of the past asks for no pause, and one of the future for the rest until then."""
    future = email.utils.formatdate(time.time() + 100, usegmt=True)

    assert retry_after({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}) == 0.0
    assert 90 < retry_after({"Retry-After": future}) <= 100


@pytest.mark.usefixtures("server")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_session_that_cannot_be_made_hangs_nobody(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the constructor nor a request waits for it."""

    def fail(**_: object) -> None:
        raise OSError("no descriptor left")

    monkeypatch.setattr(aiohttp, "ClientSession", fail)
    for _ in range(20):
        with pytest.raises((PolicyError, BackendError)):
            ask(make("http://localhost:9/v1", retries=0))
