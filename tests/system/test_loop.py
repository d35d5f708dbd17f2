"""The leader's loop, whole: with nothing in its way, and with each service killed between any two of its steps."""
import contextlib

import pytest

from installation import SERVICES, Installation, wait_for
from loop import Loop, nothing_private_is_visible

EXPECTED = {
    "standards": [(1, "published", "Lea Larsson")],
    "alerts": [("cleared", "Cleo Costa", True)],
    "notes": [("improvement", "Cleo Costa", "p-nora", "Ask before you put her on hold.", "I will."),
              ("praise", "Lea Larsson", "p-nora", "You never let her wait, and she noticed.", None)],
    "evaluations": [("", "released", 0.0, []), ("Cleo Costa", "decided", 60.0, ["accepted"])],
    "candidates": [("praised", "Lea Larsson")],
    "posts": [("praise", "Lea Larsson", "Nora Nilsson", "You never let her wait, and she noticed.", [("applause", "Omar Osei")], True, False),
              ("story", "Nora Nilsson", "Nora Nilsson", "I read the file before I pick up.", [], False, True)],
    "flame": {"praise": 1, "journal": 0},
    "account": (1, 1, ["Cleo Costa", "Lea Larsson"]),
}


@contextlib.contextmanager
def running():
    with Installation() as m:
        m.start()
        loop = Loop(m)
        yield m, loop
        wait_for("the end state", lambda: differences(loop.state()) == {}, 40)
        for service in SERVICES:
            assert m.sql("select count(*) from %s.quarantine" % service) == [(0,)], service


def differences(state):
    return {part: state[part] for part in EXPECTED if state[part] != EXPECTED[part]}


def test_the_loop_ends_as_it_should():
    with running() as (m, loop):
        loop.play()
        wait_for("the end state", lambda: differences(loop.state()) == {}, 10)
        nothing_private_is_visible(loop)
        # Each told once: a record for each change, and no other.
        kinds = dict(m.sql("select type, count(*) from feedback.stream where type in"
                           " ('NoteChanged', 'StandardChanged', 'RhythmChanged') group by 1"))
        assert kinds == {"NoteChanged": 3, "StandardChanged": 2, "RhythmChanged": 2}


@pytest.mark.parametrize("service", SERVICES)
def test_a_kill_between_any_two_steps_changes_nothing(service):
    with running() as (m, loop):
        def kill(number):
            del number
            m.kill(service)
            m.start(service)
        loop.play(between=kill)
