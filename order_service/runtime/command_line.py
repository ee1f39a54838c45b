"""What the command lines here share: one line that says what is wrong, exit code 2, and how numbers are read."""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn


class OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"BAD_ARGUMENTS: {' '.join(message.split())}; --help shows the options\n")
        raise SystemExit(2)


def up_to(largest: int) -> Callable[[str], int]:
    """Give the reading of a whole number from 0 to this one."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) <= largest):
            raise argparse.ArgumentTypeError(f"expected 0 to {largest}, was {text!r}")
        return int(text)

    return read


port = up_to(65_535)
