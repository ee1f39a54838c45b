"""What an HTTP status says to the person paged, beyond its number."""

from urllib.parse import urlsplit

from tasks.model.probes.probes import Exchange

WORD_CHARACTERS = 200
SAYS = {
    204: "it answers with nothing",
    401: "it asks for a login: see http.bearer_token_file, http.basic_auth",
    403: "it does not let us ask: see the login in http",
    404: "it has no such path",
    405: "it has no such path",
    429: "it is asked too often",
    503: "it says that it cannot serve",
}


def status_words(exchange: Exchange) -> str:
    """Say what an answer with another status than 200 is: a redirect and where to, a refusal and until when."""
    status = exchange.http_status or 0
    said = [f"http_status={status}"]
    if 300 <= status < 400:
        place = header(exchange, "location")
        said.append(f"redirect to {place or 'nowhere'}, which no check follows: set base_url to where it answers")
    elif status in SAYS:
        said.append(SAYS[status])
    again = header(exchange, "retry-after")
    if again and status in {429, 503}:
        said.append(f"it says to ask again {f'in {again} s' if again.isdigit() else f'at {again}'}")
    return ", ".join(said)


def asked_words(exchange: Exchange | None) -> str:
    """Name what was asked, without the host that everything is asked of."""
    address = urlsplit(exchange.url) if exchange else None
    if exchange is None or address is None:
        return "GET /health"
    return f"{exchange.method} {address.path or '/'}{f'?{address.query}' if address.query else ''}"


def header(exchange: Exchange, name: str) -> str | None:
    """Find a header's first value; names have no case."""
    found = next((value for key, value in exchange.headers if key.lower() == name), None)
    return " ".join(found.split())[:WORD_CHARACTERS] if found else None
