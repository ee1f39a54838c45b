"""How a Prefect server proves that it is the one of a stack: with the stack's mark, which it never shows.

Whoever else answers on its port gets no password, no runs and no worker. The mark is in the environment of every
process of the stack, which only its own user reads.
"""

import hashlib
import hmac
import secrets

from deployments.local_http import ask

PROOF_PATH = "/stack-proof"
NONCE = "nonce"
TIMEOUT_S = 2.0


def proof_of(mark: str, nonce: str) -> str | None:
    """Answer a question that is new each time; a server of no stack has no answer."""
    return hmac.new(mark.encode(), f"stack {nonce}".encode(), hashlib.sha256).hexdigest() if mark and nonce else None


def is_stack_server(api_url: str, mark: str) -> bool | None:
    """Ask whoever answers for the proof; None where nobody answers."""
    nonce = secrets.token_hex(16)
    answer = ask(f"{api_url.removesuffix('/api')}{PROOF_PATH}?{NONCE}={nonce}", timeout_s=TIMEOUT_S)
    if answer is None:
        return None
    said = answer.get("proof") if isinstance(answer, dict) else None
    return isinstance(said, str) and hmac.compare_digest(said.encode(), str(proof_of(mark, nonce)).encode())
