"""What an HTTP status says to the person paged, beyond its number."""

from tasks.model.looks import Exchange

WORD_CHARACTERS = 200
SAYS = {
    204: "it answers with nothing",
    401: "it asks for a login",
    403: "it does not let us ask",
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


def header(exchange: Exchange, name: str) -> str | None:
    """Find a header's first value; names have no case."""
    found = next((value for key, value in exchange.headers if key.lower() == name), None)
    return " ".join(found.split())[:WORD_CHARACTERS] if found else None
