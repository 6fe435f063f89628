"""What is said of a sweep that went on."""

from hydra_callback_kit.views.resumed import resumed


def test_another_command_is_said_and_the_same_one_is_not() -> None:
    """As it is typed; what is no command is passed by, as is what nobody has written."""
    at = {"at": "2026-01-01T00:00:00Z", "taken_over": 2}
    times = [at, {**at, "command": ["python", "a b.py", "x=1"]}, {**at, "command": "x"}, {**at, "command": [None, 1]}, 3, {}]
    assert [what for _, what in resumed({"resumed": times})] == [
        "2 jobs taken over",
        "2 jobs taken over by python 'a b.py' x=1",
        "2 jobs taken over",
        "2 jobs taken over by null 1",
    ]
