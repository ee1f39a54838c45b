"""`python -m order_service`: run the service with what the environment says."""

import sys

from order_service.runtime.codes import CannotStart
from order_service.runtime.process import run
from order_service.runtime.settings import load_settings


def main() -> int:
    """Run to the end; give the exit code, and in one line the reason why it did not start."""
    try:
        return run(load_settings())
    except CannotStart as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
