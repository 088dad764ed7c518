"""Legal faults of a web server that templates are downloaded from and exports sent to: what a real one does to a client now
and then.

Fault model. Reading changes nothing, so no fault of it leaves anything behind; what varies is which bytes a client gets and
what it is told of them. A body that is sent is stored whole, at the one moment when its last byte has arrived, and replaces
what was there (RFC 9110 section 9.3.4: PUT is repeated without harm); one that is cut on the way stores nothing; an answer that
is lost after the effect leaves the body stored, and sending it once more stores the same. How a file is served or a body
refused as a rule (no ranges, wrong length, no size; 403, 409, 413, 507) is data of each URL (``resource``,
``destination``); here is what strikes a single request:

- the wire's faults (``simulators.network.wire``): lost requests and answers, bodies that are cut or stall, restarts;
- ``throttle``: 429 with Retry-After (the fault's value in ns), ``busy``: 503 with Retry-After, ``internal_error``:
  500 without a word. [RFC 6585 section 4; RFC 9110 sections 10.2.3, 15.6]
- ``insufficient_storage``: 507, nothing is stored. [RFC 4918 section 11.5]
- ``stored_short``: of the body only the fault's value in bytes is stored, and the answer says that all is well: a full disk
  behind a careless proxy. Together with ``answer_lost`` it is a server that keeps what it had of a body that was cut.
  [RFC 9110 section 14.5: a server that ignores Content-Range stores a part as the whole; Apache httpd with CGI scripts]
- ``not_found``: 404 although the file is there, from a mirror that lags behind. [RFC 9110 section 15.5.5: "or is not
  willing to disclose"; Debian's mirror network answers so during a push]
- ``error_page``: status 200 and a page of HTML: a captive portal, a login, an error page of a careless application.
  [RFC 8952 section 1; RFC 6585 appendix B on captive portals]
- ``ranges_ignored``: a request for a range gets the whole file, status 200. [RFC 9110 section 14.2: "A server MAY
  ignore the Range header field"]
- ``other_etag``: the same bytes under another ETag, as two nodes behind one name give it whose tags are made of inode
  numbers. [Apache httpd documentation, FileETag: INode]
- ``changed``: from now on the file is another one of the same size, with another ETag and date. A ``latest`` link that
  moves on. [RFC 9110 section 13.1.5, the reason for If-Range]

Not modelled, and why:

- bytes that are damaged on the way under a status and a length that are right: TCP's and TLS' checksums find all but a few, and
  what is left is what a digest of the template is for. Other bytes under the same name are ``changed``.
- TLS but for the certificate, which is good or wrong from the start (a property of each host), names that do not resolve,
  proxies, HTTP/2: what of them httpx tells apart is a connection that cannot be had, as ``server_restart`` gives it.
- ``power_loss``: a web server that stops is a ``server_restart``; what it had stored it keeps.
"""

from __future__ import annotations

from storcert.harness.record.fault import Phase
from storcert.simulators.device import FaultKind
from storcert.simulators.network.wire import TRANSPORT_FAULTS

_B = (Phase.BEFORE,)
_GET = ("GET",)
_PUT = ("PUT", "POST")
_ANY = ("*",)

LEGAL_FAULTS: tuple[FaultKind, ...] = (
    *(kind for kind in TRANSPORT_FAULTS if kind.name != "power_loss"),
    FaultKind("throttle", _B, _ANY, "ns", "429 with Retry-After", "RFC 6585 section 4"),
    FaultKind("busy", _B, _ANY, "ns", "503 with Retry-After", "RFC 9110 sections 10.2.3, 15.6.4"),
    FaultKind("internal_error", _B, _ANY, "", "500", "RFC 9110 section 15.6.1"),
    FaultKind("insufficient_storage", _B, _PUT, "", "507, nothing is stored", "RFC 4918 section 11.5"),
    FaultKind("stored_short", _B, _PUT, "bytes", "a success with so many bytes stored", "RFC 9110 section 14.5"),
    FaultKind("not_found", _B, _ANY, "", "404 for a file that is there", "RFC 9110 section 15.5.5"),
    FaultKind("error_page", _B, _GET, "", "200 with a page of HTML", "RFC 8952; RFC 6585 appendix B"),
    FaultKind("ranges_ignored", _B, _GET, "", "200 and the whole file to a Range", "RFC 9110 section 14.2"),
    FaultKind("other_etag", _B, _ANY, "", "the same bytes under another ETag", "httpd.apache.org: FileETag INode"),
    FaultKind("changed", _B, _ANY, "", "another file from now on", "RFC 9110 section 13.1.5"),
)
