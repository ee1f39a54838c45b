"""Release commands: `python -m order_service.releases build|deploy|list|roll-back|run --root DIR ...`."""

import sys

from order_service.releases.commands import main

if __name__ == "__main__":
    sys.exit(main())
