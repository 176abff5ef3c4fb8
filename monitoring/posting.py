"""A notice sent to people: a POST of {"text": ...}, which Slack, Mattermost and Rocket.Chat show as a message."""

import json
import logging
from http import HTTPStatus
from urllib.parse import urlsplit

import requests

log = logging.getLogger(__name__)
TIMEOUT_SECONDS = 10.0
REFUSED_FROM = HTTPStatus.BAD_REQUEST


def post_notice(url: str, text: str) -> bool:
    """Post a text; returns whether it was taken. What goes wrong is logged: a run is not failed by its notice.

    The address is a secret and is not logged beyond its host.
    """
    host = urlsplit(url).hostname or "an address without a host"
    try:
        answer = requests.post(
            url, data=json.dumps({"text": text}), headers={"content-type": "application/json"}, timeout=TIMEOUT_SECONDS
        )
    except requests.RequestException as error:
        log.warning("the notice could not be posted to %s: %s", host, type(error).__name__)
        return False
    if answer.status_code >= REFUSED_FROM:
        log.warning("the notice was refused by %s: %d", host, answer.status_code)
        return False
    return True
