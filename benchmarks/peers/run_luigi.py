"""Luigi: two workers, the local scheduler, results in files."""

import itertools
import logging
from pathlib import Path

import luigi
import timing

_RUNS = itertools.count()


class Numbered(luigi.Task):
    run_id = luigi.Parameter()
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(f"{self.run_id}/{type(self).__name__}-{self.number}")

    def value(self):
        return int(Path(self.output().path).read_text())

    def write(self, value):
        with self.output().open("w") as file:
            file.write(str(value))


class Work(Numbered):
    def run(self):
        self.write(self.number)


class Step(Numbered):
    def requires(self):
        return Step(run_id=self.run_id, number=self.number - 1) if self.number else []

    def run(self):
        self.write(self.requires().value() + 1 if self.number else 0)


class Begin(Numbered):
    def run(self):
        self.write(0)


class Middle(Numbered):
    def requires(self):
        return Begin(run_id=self.run_id, number=0)

    def run(self):
        self.write(self.requires().value() + self.number)


class Total(Numbered):
    def requires(self):
        return [Middle(run_id=self.run_id, number=number) for number in range(self.number)]

    def run(self):
        self.write(sum(task.value() for task in self.requires()))


def _build(tasks):
    logging.disable(logging.CRITICAL)
    assert luigi.build(tasks, workers=2, local_scheduler=True, no_lock=True, log_level="CRITICAL")


def _name():
    return f"luigi-{next(_RUNS)}"


def independent(tasks):
    name = _name()
    rows = [Work(run_id=name, number=number) for number in range(tasks)]
    _build(rows)
    return sum(row.value() for row in rows)


def chain(tasks):
    last = Step(run_id=_name(), number=tasks - 1)
    _build([last])
    return last.value()


def fan(tasks):
    last = Total(run_id=_name(), number=tasks - 2)
    _build([last])
    return last.value()


if __name__ == "__main__":
    timing.main({"python": independent, "chain": chain, "fan": fan})
