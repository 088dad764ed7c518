"""What is remembered between clients of botocore is what each of them would have worked out by itself."""

from __future__ import annotations

import subprocess
import sys

_LOOK = """
import sys
if sys.argv[1] == "remembering":
    from storcert.conformance.live_targets.botocore_once import remember
    remember()
    remember()
import boto3.session
import botocore.hooks

class Handlers:
    def takes_all(self, **kwargs): pass
    def takes_one(self, name): pass

def answers():
    session = boto3.session.Session()
    client = session.client("s3", endpoint_url="http://127.0.0.1:9", region_name="us-east-1",
                            aws_access_key_id="a", aws_secret_access_key="b")
    seen = []
    client.meta.events.register("before-sign.s3.*", lambda request, **_: seen.append(request.url))
    url = client.generate_presigned_url("get_object", {"Bucket": "one", "Key": "k"}).partition("?")[0]
    names = [session.events._alias_event_name(name) if hasattr(session.events, "_alias_event_name") else ""
             for name in ("before-call.s3", "creating-client-class.iot-data", "before-parameter-build.s3.CopyObject")]
    emitter = botocore.hooks.EventAliaser(botocore.hooks.HierarchicalEmitter(), {"s3": "mine"})
    own = emitter._alias_event_name("before-call.s3")
    takes = [bool(botocore.hooks.accepts_kwargs(one)) for one in (Handlers().takes_all, Handlers().takes_one, answers)]
    return client, [url, names, own, takes]

first, told = answers()
second, again = answers()
assert told == again, (told, again)
rules = [one._ruleset_resolver._provider.ruleset for one in (first, second)]
print(told, rules[0] is rules[1], first.meta.events is second.meta.events)
"""


def _told(how: str) -> str:
    done = subprocess.run([sys.executable, "-c", _LOOK, how], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_clients_are_as_ever_and_the_rules_of_endpoints_are_read_once() -> None:
    usual, remembering = _told("usual"), _told("remembering")
    assert usual.endswith("False False")
    assert remembering.endswith("True False")
    assert usual.removesuffix("False False") == remembering.removesuffix("True False")
