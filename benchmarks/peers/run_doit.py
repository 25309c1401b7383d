"""doit: two processes; results go from task to task through its database."""

import itertools

import timing

_RUNS = itertools.count()


def _values(number):
    return {"value": number}


def _add(value, number=1):
    return {"value": value + number}


def _run(tasks):
    from doit.cmd_base import ModuleTaskLoader
    from doit.doit_cmd import DoitMain

    def task_all():
        yield from tasks

    loader = ModuleTaskLoader({"task_all": task_all, "DOIT_CONFIG": {"verbosity": 0, "reporter": "zero"}})
    database = f"doit-{next(_RUNS)}.db"
    code = DoitMain(loader).run(["run", "-n", "2", "--db-file", database])
    assert code in (0, None), code
    return database


def _read(database, names):
    from doit.dependency import DbmDB, JSONCodec

    stored = DbmDB(database, codec=JSONCodec())
    return [stored.get(name, "_values_:")["value"] for name in names]


def independent(tasks):
    rows = [{"basename": "work", "name": str(number), "actions": [(_values, [number])]} for number in range(tasks)]
    database = _run(rows)
    return sum(_read(database, [f"work:{number}" for number in range(tasks)]))


def chain(tasks):
    rows = [{"basename": "t0", "actions": [(_values, [0])]}]
    rows += [
        {"basename": f"t{number}", "actions": [(_add,)], "getargs": {"value": (f"t{number - 1}", "value")}}
        for number in range(1, tasks)
    ]
    database = _run(rows)
    return _read(database, [f"t{tasks - 1}"])[0]


def _total(values):
    return {"value": sum(values.values())}


def fan(tasks):
    rows = [{"basename": "first", "actions": [(_values, [0])]}]
    rows += [
        {
            "basename": "work",
            "name": str(number),
            "actions": [(_add, [], {"number": number})],
            "getargs": {"value": ("first", "value")},
        }
        for number in range(tasks - 2)
    ]
    rows.append({"basename": "last", "actions": [(_total,)], "getargs": {"values": ("work", "value")}})
    database = _run(rows)
    return _read(database, ["last"])[0]


if __name__ == "__main__":
    timing.main({"python": independent, "chain": chain, "fan": fan})
