"""What only `runbook up` writes: by it a stack is known as one that may be broken on purpose."""

from pathlib import Path

from tasks.model.values import Value


class DrillSettings(Value):
    """`stack_file` names the stack's processes by their mark; `mend_command` starts again what is missing of it."""

    stack_file: Path | None = None
    mend_command: tuple[str, ...] = ()
