"""The network, and answers of indexes: what alone fails nothing, as it may be tried again, and what explains a failure that follows."""

import re

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.recogniser import Recogniser, Sign, sign

__all__ = ["Network"]

# A retry that says why it is one is of the class of that.
_NO_REASON: str = r"(?i)^(?!.*(?:name or service|resolution|nodename|getaddrinfo|ssl|certificate|time(?:d )?out|too many)).*"


def _passing(failure: F, *triggers: str, pattern: str = "") -> Sign:
    wanted = pattern or "(?:" + "|".join(map(re.escape, triggers)) + ")"
    return sign(failure, triggers, wanted, level=None, passing=True)


class Network(Recogniser):
    """Whoever asks."""

    signs = (
        _passing(F.RESOLUTION, "Temporary failure in name resolution", "Temporary failure resolving", "Could not resolve host",
            "Could not resolve '", "Couldn't resolve host name", "DNS: transient error", "DNS: name does not exist", "temporary error (try again later)", "Name or service not known",
                 "failed to lookup address information", "NameResolutionError", "getaddrinfo failed", "no such host", "nodename nor servname"),
        _passing(F.CONNECTION, "Connection refused", "connection refused", "Network is unreachable", "No route to host", "Connection reset by peer", "Connection aborted",
                 "connection reset by peer", "Could not connect to", "All attempts to connect to", "Couldn't connect to server", "incomplete-download", "Connection interrupted while downloading", "network error (check Internet connection", "tcp connect error", "Cannot connect to"),
        _passing(F.TIMEOUT, "ReadTimeoutError", "ConnectTimeoutError", "Read timed out", "Connection timed out", "connection timed out", "i/o timeout", "TLS handshake timeout", "operation timed out",
                 "Operation timed out", "Timeout was reached"),
        _passing(F.CERTIFICATE, "certificate verify failed", "CERTIFICATE_VERIFY_FAILED", "SSL certificate problem", "certificate signed by unknown authority", "SSLError", "invalid peer certificate", "server certificate not trusted", "SSL peer certificate or SSH remote key was not OK"),
        _passing(F.CONNECTION, "Retrying (Retry(", "after connection broken by", "Max retries exceeded with url", pattern=_NO_REASON + r"(?:Retrying \(Retry\(|after connection broken by|Max retries exceeded)"),
        _passing(F.FORBIDDEN, "HTTP error 401", "HTTP error 403", "401 Client Error", "403 Client Error", "401 Unauthorized", "403 Forbidden", "401 Error, Credentials not correct", "HTTP 401:", "HTTP 403:", "Status code: 401 for", "Status code: 403 for",
                 "lack of valid authentication", "Authorization error accessing"),
        _passing(F.INDEX, "HTTP error 5", "502 Bad Gateway", "503 Service", "504 Gateway", "500 Internal Server Error", "HTTP error 404", "too many 50", "429 Client Error", "429 Too Many Requests",
                 "HTTP 404:", "HTTP 429:", "HTTP 500:", "HTTP 502:", "HTTP 503:", "HTTP 504:", "Status code: 404 for", "Status code: 429 for", "Status code: 5",
                 pattern=r"(?:HTTP (?:404|429|5\d\d):|Status code: (?:404|429|5\d\d) for|HTTP error (?:5\d\d|404)|50\d (?:Bad|Service|Gateway|Internal|Server)|too many 50\d error|429 )"),
        _passing(F.INDEX, " Server Error:", pattern=r"\b5\d\d Server Error"),
    )  # fmt: skip
