"""How often a token may call: counted in each process, told in the headers of every answer."""

import math
import time

from flask import g
from limits import RateLimitItemPerMinute
from werkzeug.wrappers import Response

from portal.pages.layout.access import limiter
from portal.pages.layout.bearer import current_token
from portal.platform.errors import TooManyError

PER_MINUTE = 300
FILES_IN_FIVE_MINUTES = 30  # a file of a whole force takes seconds of a processor
MESSAGE = "This token was used too often. Wait as long as the header Retry-After says."


def count_request() -> None:
    """Count this request of its token.

    Raises:
        TooManyError: The token was used too often in the last minute.
    """
    limit, key = RateLimitItemPerMinute(PER_MINUTE), ("api", current_token().reference)
    is_allowed = limiter.limiter.hit(limit, *key)
    stats = limiter.limiter.get_window_stats(limit, *key)
    seconds = max(1, math.ceil(stats.reset_time - time.time()))
    g.rate_limit = (max(0, stats.remaining), seconds)
    if not is_allowed:
        raise TooManyError(MESSAGE, seconds)


def count_file() -> None:
    """Count a file of this request's token.

    Raises:
        TooManyError: The token read too many in the last five minutes.
    """
    limit, key = RateLimitItemPerMinute(FILES_IN_FIVE_MINUTES, 5), ("api files", current_token().reference)
    if not limiter.limiter.hit(limit, *key):
        reset_time = limiter.limiter.get_window_stats(limit, *key).reset_time
        raise TooManyError(MESSAGE, max(1, math.ceil(reset_time - time.time())))


def add_rate_headers(response: Response) -> Response:
    """Tell how many requests are left, and when there are more.

    Source: IETF draft-ietf-httpapi-ratelimit-headers.
    """
    if "rate_limit" in g:
        remaining, seconds = g.rate_limit
        response.headers["RateLimit-Policy"] = f'"token";q={PER_MINUTE};w=60'
        response.headers["RateLimit"] = f'"token";r={remaining};t={seconds}'
    return response
