"""Signing in to Salesforce: OAuth 2.0 client credentials, or a JWT signed with a private key for a named user.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm
https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
The answer has no `expires_in`: a token is used until it is refused. Must not send a token anywhere itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sources.arrow import loads
from sources.errors import BadAnswer, ConfigurationError
from sources.http import Http, Token

if TYPE_CHECKING:
    from sources.config import Config
    from sources.http import SignIn

TOKEN_PATH = "/services/oauth2/token"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_LIFE = timedelta(minutes=3)


def _real_time() -> datetime:
    return datetime.now(UTC)


def sign_in(config: Config, wall_clock: Callable[[], datetime] = _real_time) -> SignIn:
    """The way of signing in that the settings allow: a private key goes before a client secret.

    The vendor compares an assertion with real time, so the clock here is the wall's and not that of the run.
    """
    uses_key = "private_key" in config
    if uses_key and "username" not in config:
        raise ConfigurationError(
            f"{config.instance}: a private key signs in a named user. Set {config.setting('username')} as well."
        )
    if not uses_key and "client_secret" not in config:
        raise ConfigurationError(
            f"{config.instance}: there is nothing to sign in with. Set {config.setting('client_secret')}, or"
            f" {config.setting('username')} and {config.setting('private_key')}."
        )

    def get_token(http: Http) -> Token:
        form = _assertion(config, wall_clock()) if uses_key else _secret(config)
        answer = loads(http.post(TOKEN_PATH, data=form, signed=False).content)
        token: Any = answer.get("access_token")
        if not token:
            raise BadAnswer(f"{config.instance}: the token answer has no access_token.")
        base_url = answer.get("instance_url") or None
        return Token({"Authorization": f"Bearer {token}"}, base_url, str(token))

    return get_token


def _secret(config: Config) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": config["client_id"],
        "client_secret": config["client_secret"],
    }


def _assertion(config: Config, now: datetime) -> dict[str, str]:
    import jwt

    claims = {
        "iss": config["client_id"],
        "sub": config["username"],
        # The My Domain address is right for production and sandbox orgs alike.
        "aud": (config.get("login_url") or config["base_url"]).rstrip("/"),
        "exp": int((now + ASSERTION_LIFE).timestamp()),
    }
    try:
        signed = jwt.encode(claims, config["private_key"].replace("\\n", "\n"), algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise ConfigurationError(
            f"{config.instance}: the private key cannot be read. Set {config.setting('private_key')} to the text of the PEM"
            " file, from BEGIN to END."
        ) from None
    return {"grant_type": JWT_GRANT, "assertion": signed}
