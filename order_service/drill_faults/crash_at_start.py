"""The release ends with a traceback before it listens."""

from order_service.drill_faults.switch import Switch


def install(switch: Switch) -> None:
    """End at once.

    Errors: RuntimeError, always.
    """
    raise RuntimeError(f"expected a routing engine, was none; switch={switch.on}")
