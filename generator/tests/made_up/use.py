"""Uses the package of the made-up API, as a program with types does."""

import asyncio
import warnings

import made_up


async def main() -> None:
    async with made_up.Machine.start("M") as machine:
        assert await machine.say("hello") == "M says hello"
        names: list[str] = await machine.list()
        numbers: list[int] = await machine.int(3)
        raw: bytes = await machine.bytes()
        assert (names, numbers, raw) == (["M"], [3], b"M")
        assert await machine.property() == "its own"
        assert await machine.long("a", "b", "c", ["d"], "e") == ["a", "b", "c", "d", "e"]
        machine.speed = 5
        assert machine.speed == 5
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            await machine.old("N")
        assert [str(warning.message) for warning in caught] == ['say "walk"']
        turned: made_up.Machine = await machine.turn()
        assert turned is machine
        assert await machine.hum() == "hum"
        part = machine.part("P")
        assert await part.look("it") == "P at it"
        assert part.looked == 1
        assert await part.next_many(2) == [0, 1]
        assert await part.next_one() == 2
    async with made_up.open_machine("L", "C") as machine:
        assert await machine.say("x") == "LC says x"
    # It opens a machine, on whichever class it is called.
    assert type(made_up.Robot.start("R")) is made_up.Machine

    async with made_up.open_robot("R") as robot:
        assert isinstance(robot, made_up.Machine)
        # Members of the class that it extends, of its own, and both in one chain.
        assert await robot.say("hi") == "R says hi"
        robot.speed = 4
        assert robot.speed == 4
        assert await robot.walk(3) == 12
        again: made_up.Robot = await robot.step()
        assert again is robot
        assert await robot.turn() is robot
        legs: list[int] = await robot.legs()
        assert legs == [1, 2, 11]
        assert await robot.hum() == "hum"
        arm = await robot.arm()
        assert isinstance(arm, made_up.Parent)
        assert await arm.lift() == 7
        assert await arm.look("you") == "arm at you"
        assert arm.looked == 1
        assert await arm.next_one() == 0
        assert await (await arm.lower()).next_many(5) == [0, 1]
        assert [row async for row in await arm.again()] == [0, 1, 2]
    async with made_up.Robot.build("B") as robot:
        assert await robot.say("hi") == "B says hi"


asyncio.run(main())
