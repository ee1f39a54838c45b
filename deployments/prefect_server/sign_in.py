"""Open the Prefect UI signed in: a link that holds the login behind its `#`, which a browser sends to nobody."""

import base64

from pydantic import SecretStr

SIGN_IN_PATH = "/sign-in"
# Where both of Prefect's UIs keep what the person typed.
KEPT_AS = "prefect-password"
SIGN_IN_PAGE = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sign in</title>
<body style="font-family: sans-serif; margin: 4em"><p id="said">Signing in …</p>
<script>
const key = location.hash.slice(1), said = document.getElementById("said");
history.replaceState(null, "", location.pathname);
fetch("/api/admin/version", {{headers: {{Authorization: "Basic " + key}}}}).then(answer => {{
  if (answer.ok) {{
    localStorage.setItem("{KEPT_AS}", key);
    location.replace("/v2/");
  }} else {{
    said.textContent = "This link is not of this server. `runbook up` prints the link that is.";
  }}
}}, () => {{ said.textContent = "The server does not answer. Load this link again in a moment."; }});
</script></body></html>
"""


def sign_in_link(ui_url: str, login: SecretStr) -> str:
    """Write the link; it is for the person who started the stack, and goes into no log, file or message."""
    return f"{ui_url}{SIGN_IN_PATH}#{base64.b64encode(login.get_secret_value().encode()).decode()}"
