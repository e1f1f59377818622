"""Stands in for the native module of the made-up API: what the glue would have, in Python."""

import itertools


class Call:
    """A call whose future is there."""

    def __class_getitem__(cls, item):
        return cls

    def __init__(self, future, worker):
        self.future = future
        self.worker = worker

    def __await__(self):
        return self.future.__await__()

    def silence(self):
        self.future.add_done_callback(lambda future: future.cancelled() or future.exception())

    def finish_soon(self):
        return False

    def cancel(self):
        self.worker.cancel(self)

    def as_future(self):
        return self.future


class NativeCall:
    """There is none: every call is one that Python runs."""


class NativeToken:
    """Nothing looks at it."""

    def run(self, function):
        return function()

    def cancel(self):
        pass


class NativeQueue:
    """No event loop can be told by it, so that none is ever made."""

    @staticmethod
    def can_tell(event_loop):
        return False

    @staticmethod
    def forget_notifiers():
        pass


def calls_of(object):
    return None


class BrokenError(Exception):
    pass


class Machine:
    def __init__(self, name):
        self.name = name
        self.speed = 1
        self.turns = 0
        self.is_open = True

    @staticmethod
    def start(connector):
        return Machine(connector)

    @staticmethod
    def _check_speed(speed):
        if speed < 0:
            raise ValueError("it cannot go backwards")
        return speed

    def say(self, machine):
        return f"{self.name} says {machine}"

    def list(self):
        return [self.name]

    def int(self, int):
        return [int]

    def bytes(self):
        return self.name.encode()

    def property(self):
        return "its own"

    def long(self, call, machine_with_a_long_name, another_with_a_long_name, list, warnings):
        return [call, machine_with_a_long_name, another_with_a_long_name, *list, warnings]

    def old(self, warnings):
        self.name = warnings

    def turn(self):
        self.turns += 1
        return self

    def hum(self):
        return "hum"

    def part(self, function):
        return Parent(function)

    def halt(self):
        pass

    def shut(self):
        self.is_open = False


class Robot(Machine):
    @staticmethod
    def build(name):
        return Robot(name)

    def walk(self, steps):
        return steps * self.speed

    def legs(self):
        return [1, 2, self.turns]

    def step(self):
        self.turns += 10
        return self

    def arm(self):
        return Arm("arm")


class Parent:
    def __init__(self, name):
        self.name = name
        self.looked = 0
        self.rows = iter(range(5))
        self._begun = 1

    def _snapshot(self):
        return (self.looked,)

    def _read_rows(self, limit, asked=0, elapsed=0.0):
        rows = list(itertools.islice(self.rows, limit))
        return rows, len(rows) < limit, None

    def look(self, object):
        self.looked += 1
        return f"{self.name} at {object}"

    def again(self):
        self._begun += 1
        self.rows = iter(range(3))
        return self


class Arm(Parent):
    def lift(self):
        return 7

    def lower(self):
        self._begun += 1
        self.rows = iter(range(2))
        return self


def open_machine(lib, connector):
    return Machine(lib + connector)


def open_robot(name):
    return Robot(name)
