"""A host with many services: the patients' process, and the settings that watch as many of them as are wanted."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.measuring.machine import family
from bench.measuring.stack import REPOSITORY, BenchStack
from deployments.ports import ORDER_SERVICE
from deployments.stack_settings import TEST_SYMBOLS, TRADED

LINES_COUNT = 200


@dataclass
class Host:
    """The patients beside the stack's own order service; `names` are those that are watched now."""

    stack: BenchStack
    process: "subprocess.Popen[str]"
    ports: list[int]
    own_settings: str
    names: tuple[str, ...] = field(default=())

    def watch(self, services_count: int) -> None:
        """Watch the stack's own service, and as many patients as there are to be beside it."""
        numbers = range(services_count - 1)
        self.names = (ORDER_SERVICE, *(self._name(number) for number in numbers))
        path = self.stack.state.settings_file
        staged = path.with_suffix(".staged")
        staged.write_text(self.own_settings + "".join(self._table(number) for number in numbers), "utf-8")
        staged.replace(path)

    def fall_ill(self, ill_count: int) -> None:
        """Make the first patients ill, and all others well."""
        if self.process.stdin is not None:
            self.process.stdin.write(f"{ill_count}\n")
            self.process.stdin.flush()

    def family(self) -> list[psutil.Process]:
        """Find the patients' process."""
        return family(self.process.pid)

    def _name(self, number: int) -> str:
        return f"orders-{number + 1:03}"

    def _table(self, number: int) -> str:
        """Write one service: its own ledger and log, four test orders, five gateways that all patients share."""
        name, folder = self._name(number), self.stack.folder / "growth"
        log = folder / f"{name}.log"
        if not log.exists():
            folder.mkdir(exist_ok=True)
            log.write_text("".join(f'{{"level":"INFO","message":"order {k} filled"}}\n' for k in range(LINES_COUNT)))
        shared = f"http://127.0.0.1:{self.ports[-1]}"
        lines = [
            f"[services.{name}]",
            f'base_url = "http://127.0.0.1:{self.ports[number]}"',
            f"pid_file = {json.dumps(str(folder / 'pid'))}",
            'process_pattern = "bench.growth_patients"',
            f"log_files = {json.dumps([str(log)])}",
            f"incidents_file = {json.dumps(str(folder / f'{name}.jsonl'))}",
            *(f"[services.{name}.gateways.{one}]\nbase_url = {json.dumps(shared)}" for one in TRADED),
            *(f"[services.{name}.synthetic_orders.{kind}]\nsymbol = {json.dumps(symbol)}"
              for kind, symbol in TEST_SYMBOLS.items()),
        ]  # fmt: skip
        return "\n" + "\n".join(lines) + "\n"


@contextmanager
def host(stack: BenchStack, services_count: int) -> Iterator[Host]:
    """Run as many patients as will be wanted, and one more that stands for their gateways."""
    words = [sys.executable, "-m", "bench.growth_patients", str(services_count + 1)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    try:
        ports = json.loads(process.stdout.readline()) if process.stdout else []
        folder = stack.folder / "growth"
        folder.mkdir()
        (folder / "pid").write_text(str(process.pid), "utf-8")
        yield Host(stack, process, ports, Path(stack.state.settings_file).read_text("utf-8"))
    finally:
        process.terminate()
        process.wait(20)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
