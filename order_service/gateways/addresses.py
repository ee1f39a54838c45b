"""Where the gateways listen, from the environment's own file."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter, ValidationError

from order_service.codes import CannotStart
from order_service.routing import GatewayName


class Address(BaseModel):
    """One gateway's address."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    base_url: HttpUrl


_Addresses = TypeAdapter(Annotated[dict[GatewayName, Address], Field(min_length=1)])


def read_addresses(path: Path) -> dict[str, str]:
    """Read each gateway's base URL, without a trailing slash.

    Errors: CannotStart, exit 2, naming the file and the entry.
    """
    try:
        addresses = _Addresses.validate_json(path.read_bytes())
    except OSError as error:
        raise CannotStart(
            f"GATEWAYS_FILE_REFUSED: cannot read {path}; {error.strerror}; name it with ORDER_SERVICE_GATEWAYS_FILE",
            2,
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise CannotStart(f"GATEWAYS_FILE_REFUSED: {path}: {place}: {first['msg']}", 2) from error
    return {name: str(address.base_url).rstrip("/") for name, address in addresses.items()}
