"""Ask a service whether it answers at all, at the least cost: one request a second, and no library but Python's own."""

import urllib.error
import urllib.request

from tasks.model.liveness import Answered, Liveness

TIMEOUT_S = 1.0
SERVER_ERROR = 500
# A proxy of the user's has nothing to do with a service beside us.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask_once(url: str) -> Answered:
    """Ask once, and say how it ended.

    Errors: none; an address that leads nowhere is *unreachable*, and says nothing of the service.
    """
    try:
        with OPENER.open(url, timeout=TIMEOUT_S) as answer:
            return Answered(liveness=Liveness.ANSWERS, detail=f"HTTP {answer.status}")
    except urllib.error.HTTPError as error:
        error.close()
        failed = Liveness.FAILS if error.code >= SERVER_ERROR else Liveness.ANSWERS
        return Answered(liveness=failed, detail=f"HTTP {error.code}")
    except urllib.error.URLError as error:
        return _not_connected(error.reason)
    except (OSError, ValueError) as error:
        return _not_connected(error)


def _not_connected(reason: object) -> Answered:
    match reason:
        case TimeoutError():
            return Answered(liveness=Liveness.SILENT)
        case ConnectionRefusedError():
            return Answered(liveness=Liveness.REFUSED)
        case ConnectionError():
            return Answered(liveness=Liveness.FAILS, detail="the connection was cut off")
        case _:
            return Answered(liveness=Liveness.UNREACHABLE, detail=type(reason).__name__)
