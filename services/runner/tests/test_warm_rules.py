"""What can be started beforehand, and what it can become."""

import pytest
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.settings import SettingsError
from perijove_runner.model import Kernelspec
from perijove_runner.settings import RunnerSettings
from perijove_runner.warm.backends.programs import Programs
from perijove_runner.warm.model import MOST_OF_A_KIND, Nature, WarmPlan

ARGUMENTS = ("python", "-m", "ipykernel_launcher", "-f", "{connection_file}")


def spec(*argv: str, metadata: bytes = b"{}") -> Kernelspec:
    return Kernelspec("x", "X", "python", argv, {}, "signal", metadata, (), "", "")


def test_a_plan_names_kernelspecs_and_how_many() -> None:
    assert WarmPlan.parse("").counts == {}
    assert WarmPlan.parse("Python3:2 r,julia-1.10:0").counts == {
        "python3": 2,
        "r": 1,
        "julia-1.10": 0,
    }


@pytest.mark.parametrize("text", ["a:b", "a:", ":2", "a:-1", f"a:{MOST_OF_A_KIND + 1}", "a/b"])
def test_a_plan_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        WarmPlan.parse(text)
    settings = RunnerSettings(listen="unix:/x", service_key="", id="r", state_dir="/", warm=text)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="PERIJOVE_RUNNER_WARM"):
        settings.warm_plan()


@pytest.mark.parametrize(
    ("argv", "can"),
    [
        (ARGUMENTS, True),
        (("/usr/bin/python3.11", "-Xfrozen_modules=off", *ARGUMENTS[1:]), True),
        (("python", "-X", "dev", "-B", "-W", "error", *ARGUMENTS[1:]), True),
        (("python", "-I", *ARGUMENTS[1:]), False),
        (("python", "-BE", *ARGUMENTS[1:]), False),
        (("python", "-S", *ARGUMENTS[1:]), False),
        (("python", "kernel.py", "-m", "ipykernel_launcher"), False),
        (("python", "-c", "1"), False),
        (("python", "-m"), False),
        (("python", "-m", "other"), False),
        (("R", "--slave"), False),
        ((), False),
    ],
)
def test_only_what_python_runs_as_a_known_module_can_be_started_beforehand(
    argv: tuple[str, ...], *, can: bool
) -> None:
    assert bool(Programs().modules(spec(*argv))) is can


def test_a_kernelspec_says_what_its_program_imports() -> None:
    wish = b'{"debugger": true, "perijove": {"preload": ["a.b"]}}'
    assert Programs().modules(spec("python", "-m", "other", metadata=wish)) == ("a.b",)
    assert Programs().modules(spec("R", metadata=wish)) == ()
    for odd in (b'{"perijove": 1}', b'{"perijove": {"preload": "a"}}', b"[]"):
        assert Programs().modules(spec("python", "-m", "other", metadata=odd)) == ()


@pytest.mark.parametrize(
    ("changed", "suits"),
    [
        ({}, True),
        ({"JPY_SESSION_NAME": "a.ipynb", "OMP_NUM_THREADS": "1"}, True),
        ({"OTHER": None}, True),
        ({"SEEN": "x"}, False),
        ({"SEEN": None}, False),
        *(({name: "x"}, False) for name in ("PYTHONPATH", "PYTHONHASHSEED", "LD_PRELOAD", "HOME")),
        *(({name: "x"}, False) for name in ("LANG", "LC_ALL", "TZ", "MALLOC_ARENA_MAX", "PATH")),
    ],
)
def test_variables_that_have_had_their_effect_cannot_be_changed(
    changed: dict[str, str | None], *, suits: bool
) -> None:
    mine = {"SEEN": "1", "OTHER": "2", "PATH": "/bin"}
    wanted = {name: value for name, value in {**mine, **changed}.items() if value is not None}
    nature = Nature(ARGUMENTS, mine, frozenset({"SEEN"}))
    assert nature.suits(ARGUMENTS, wanted) is suits
    assert not nature.suits((*ARGUMENTS, "--debug"), wanted)


def test_who_has_looked_at_all_variables_cannot_have_others() -> None:
    nature = Nature(ARGUMENTS, {"A": "1"}, frozenset({"*"}))
    assert nature.suits(ARGUMENTS, {"A": "1"})
    assert not nature.suits(ARGUMENTS, {"A": "1", "B": "2"})
