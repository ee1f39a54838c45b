"""Who fills in a form of Prefect: all that its server proves is that they know its one login."""

from prefect.settings import get_current_settings

from tasks.model.people.person import Door, Identity


def form_user() -> Identity:
    """Name the user of the server's login; nobody where it has none."""
    login = get_current_settings().api.auth_string
    user = login.get_secret_value().partition(":")[0] if login else ""
    return Identity(door=Door.API, name=user)
