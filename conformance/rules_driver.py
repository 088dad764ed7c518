"""The rules a driver keeps (contract, section 3), with the reason for each and an example that breaks it. Data only."""

from __future__ import annotations

from storcert.conformance.rule import Rule

DRIVER_RULES: tuple[Rule, ...] = (
    Rule(
        id="C-CREATE",
        title="create makes exactly size zero bytes, and can be repeated",
        text=(
            "`create` makes an object of exactly `size` zero bytes. Where the URI already names an object of that size "
            "it succeeds and changes nothing (so it can be repeated after a lost answer); of another size: "
            "`ObjectExists`, nothing changes."
        ),
        why=(
            "The answer to a create is lost now and then, and the control plane asks again. A second create that fails,"
            " or that empties a volume somebody has already written, turns a lost packet into a lost disk."
        ),
        example=(
            "driver.create(volume, 4096)",
            "with driver.open_input(volume) as stream:",
            '    stream.read()            # b"" or 4095 bytes: broken',
            "driver.create(volume, 4096)  # raises ObjectExists: broken, the size is the same",
        ),
    ),
    Rule(
        id="C-DELETE",
        title="delete removes exactly the named object and all it occupied",
        text=(
            "After `delete` returns, the object is gone for every reader at every location. Deleting an absent object "
            "succeeds. Exactly the named object goes: no sibling, no parent, no child. All it occupied comes back "
            "(parts, versions, temporary entries included)."
        ),
        why=(
            "A prefix taken for a name deletes the neighbours; a part or an old version that stays is paid for until "
            "somebody notices. Both have happened in shipped drivers, the first one with data loss."
        ),
        example=(
            'for key in bucket.list(prefix="volume/1/2"):   # also finds volume/1/20',
            "    key.delete()",
        ),
    ),
    Rule(
        id="C-COPY",
        title="copy is whole or not at all, and never touches its source",
        text=(
            "`copy` makes `destination` a byte-for-byte copy of `source` as it was at one moment between call and "
            "return; it appears whole or not at all. `source` is never changed. Existing destination, or destination = "
            "source: `ObjectExists`, nothing changed."
        ),
        why=(
            "A copy that dies half way and leaves a short object under the final name looks like a template. Every "
            "virtual machine made from it is broken, days later, and nobody remembers the copy."
        ),
        example=(
            "client.copy_object(...)     # 200 with an error in the body, not looked at: nothing was copied",
            "return None                 # reported as success: broken",
        ),
    ),
    Rule(
        id="C-READ",
        title="a reader gets exactly the bytes of the range, or an error",
        text=(
            "An input stream yields exactly the bytes of the range, in order, or raises. `read(n)` gives 1..n bytes "
            'until the end, then `b""`; a range past the end is empty. A transport that ends early is an error, never '
            "an end of file."
        ),
        why=(
            "A connection that closes early looks like the end of a file to code that does not count. Truncated images "
            "are the most frequent data loss in storage clients."
        ),
        example=(
            "def read(self, n=-1):",
            '    return self.body.read(n)   # b"" after 3 of 5 MiB when the server goes away: broken',
        ),
    ),
    Rule(
        id="C-WRITE",
        title="write takes any bytes and says how many; nothing shows before commit",
        text=(
            "`write(data)` accepts any bytes-like object of any length and returns how many bytes it took (at least 1 "
            "unless `data` is empty). Nothing is visible under the URI, by any operation, before `commit()` is called."
        ),
        why=(
            "Callers loop on the returned count. None, or the number of items of a memoryview instead of bytes, loses "
            "data. And what shows before commit is picked up half written by somebody else."
        ),
        example=(
            'stream.write(memoryview(array("I", [1, 2])))   # returns 2 instead of 8: broken',
            "driver.describe(uri)                           # succeeds before commit(): broken",
        ),
    ),
    Rule(
        id="C-COMMIT",
        title="commit publishes the whole object at one moment, or raises",
        text=(
            "`commit()` publishes the whole object at one moment between call and return, or raises. If `size` was "
            "given and differs, `SizeMismatch` and nothing is published. A commit whose outcome is unknown says so "
            '(`outcome="unknown"`). Zero bytes are an object.'
        ),
        why=(
            "Whoever sees success deletes the source. A commit that swallowed an error, or published fewer bytes than "
            "were announced, is the last anybody sees of the data."
        ),
        example=(
            "with driver.open_output(uri, size=10) as stream:",
            '    stream.write(b"123")       # leaving the block must raise SizeMismatch and publish nothing',
        ),
    ),
    Rule(
        id="C-ABORT",
        title="what is not committed leaves nothing behind",
        text=(
            "`abort()`, `close()` without commit, an exception inside `with` (which otherwise commits), a stream that "
            "is dropped, a process that dies: nothing is published. After `abort()`, `close()` or the exception nothing"
            " is left on the device; what a dropped stream or a dead process left is gone at the latest after `delete` "
            "of that URI or the next successful commit to it. `close()` is idempotent and final, also after an error."
        ),
        why=(
            "Aborted uploads are invisible in listings and are paid for. And an exception inside `with` that still "
            "publishes gives a truncated object that looks complete."
        ),
        example=(
            "def __exit__(self, *exc):",
            "    self.commit()              # also when an exception is on its way: broken",
        ),
    ),
    Rule(
        id="C-ONCE",
        title="objects are written once, and one of several writers wins",
        text=(
            "Objects are written once (afterwards only `pwrite` and `revert` change a volume). `open_output` on an "
            "existing URI raises `ObjectExists` at open or at the latest at commit, and the old bytes stay. Of several "
            "concurrent commits and copies to one URI exactly one wins; the others get `ObjectExists`."
        ),
        why=(
            "Look first, then write, is a race: two hosts materialise one template, the second overwrites the first "
            "while it is being read. Only a condition on the device's own write decides."
        ),
        example=(
            "if not self.exists(uri):",
            "    client.put_object(...)     # without If-None-Match: two of these both win: broken",
        ),
    ),
    Rule(
        id="C-READER",
        title="an open reader never sees other bytes or a short end",
        text=(
            "A reader that is open while the object is deleted sees the old bytes to the end or a typed error. Never "
            "other bytes, never a short end."
        ),
        why=(
            "A reader that fetches range after range may get the first half of one object and the second half of its "
            "successor. No digest of either matches, and no error was seen."
        ),
        example=(
            "stream = driver.open_input(uri); stream.read(1024)",
            "driver.delete(uri); write(uri, other)",
            "stream.read()                # bytes of the other object: broken; an error is right",
        ),
    ),
    Rule(
        id="C-INDEP",
        title="streams do not disturb each other",
        text=(
            "Streams are independent of each other, of the driver instance that made them, and of any other stream on "
            "the same object."
        ),
        why=(
            "A shared cursor or a shared connection works until two transfers run at once: then both get each other's "
            "bytes."
        ),
        example=(
            "a = driver.open_input(uri); b = driver.open_input(uri)",
            "a.read(10); b.read(10)       # the second gives bytes 10..20: broken",
        ),
    ),
    Rule(
        id="C-STATELESS",
        title="a driver keeps nothing between calls",
        text=(
            "A driver keeps nothing between calls. A fresh instance with the same configuration, at another location, "
            "continues where this one stopped. Two instances, or one used twice, behave alike."
        ),
        why=(
            "The next call runs on another host, in another process, after a restart. Whatever the first instance "
            "remembered (an existence, an upload id, a listing) is not there, or is no longer true."
        ),
        example=(
            "self.known.add(uri)          # a delete at another location does not know of it",
            "return uri in self.known     # answers from memory: broken",
        ),
    ),
    Rule(
        id="C-NOFS",
        title="no file-system assumption, no path outside the device",
        text=(
            "No file-system assumption. Streams have `read`/`write`/`commit`/`abort`/`close`; nothing else is offered "
            "to or asked of them (no `fileno`, `name`, `seek`, `tell`, length). Where it runs, and outside the device "
            "itself (its own mount, if it has one), a driver reads and writes no path: no scratch file, no home "
            "directory, no rename, no mkdir, no kernel device node. An absent mount is `DeviceUnavailable`, never a "
            "local directory."
        ),
        why=(
            "A scratch file fills the root disk of a system VM, a missing mount turns into a local directory that "
            "swallows a terabyte, and a stream that is really a file works only with devices that are."
        ),
        example=(
            "with tempfile.TemporaryFile() as scratch:   # broken: stage in memory, or stream in parts",
            "    shutil.copyfileobj(source, scratch)",
        ),
    ),
    Rule(
        id="C-NAMES",
        title="names are opaque and never merged",
        text="§2: names are opaque and never merged, in every operation alike.",
        why=(
            "One account reads the disks of another because case was folded, Unicode was normalised or a slash was not "
            "escaped."
        ),
        example=(
            'key = f"{uri.account}/{uri.object_id}"      # account "a/b" + id "c" is account "a" + id "b/c": broken',
        ),
    ),
    Rule(
        id="C-ERRORS",
        title="every failure is typed and truthful about its outcome",
        text=(
            "Every failure is one of the typed errors of §5, truthful about its outcome. No foreign exception, no "
            "`None`, no success after failure."
        ),
        why=(
            "The caller decides from the error whether to retry, to clean up or to give up. A foreign exception decides"
            " nothing, and not_done about something that was done makes it do the wrong thing."
        ),
        example=(
            "except ReadTimeoutError:",
            '    raise DeviceUnavailable("timeout", uri, "not_done")   # the server may have done it: unknown',
        ),
    ),
    Rule(
        id="C-CAPS",
        title="capabilities are honest in both directions",
        text=(
            "Capabilities are honest in both directions: what is declared works up to its limits; what is not declared "
            "raises `Unsupported` before any side effect."
        ),
        why=(
            "Over-declared: orchestration plans a device copy that then fails. Under-declared: it streams a terabyte "
            "through a host that one call would have copied."
        ),
        example=(
            "Capabilities(range_read=False)",
            "driver.open_input(uri, 10, 5)    # works: broken, it must raise Unsupported or be declared",
        ),
    ),
    Rule(
        id="C-BUDGET",
        title="every call ends, in bounded time and requests",
        text=(
            "Every call ends, in bounded virtual time and a bounded number of requests to the device, whatever the "
            "device does."
        ),
        why=(
            "A retry loop without an end holds a worker thread for ever; one without a pause takes a throttled device "
            "down for everybody."
        ),
        example=(
            "while True:",
            "    try: return client.put_object(...)",
            "    except ClientError: pass         # SlowDown for ever: broken",
        ),
    ),
    Rule(
        id="C-DURABLE",
        title="what was reported done survives a crash and a power loss",
        text=(
            "What `commit`, `create`, `copy`, `delete`, `flush` or a snapshot call reported done survives a crash of "
            "the location, and a power loss of the device."
        ),
        why="Success that lived in a cache is a lost disk after the next power cut, with a record saying Ready.",
        example=(
            "os.rename(temporary, final)          # without fsync of the file and the folder: broken on a power loss",
        ),
    ),
    Rule(
        id="C-RETRY",
        title="an error leaves before or after, never in between, and repeating converges",
        text=(
            'After an error with `outcome="not_done"` the device is as before. After `outcome="unknown"` it is either '
            "as before or as if done, never in between; repeating the call or deleting the object always converges, "
            "with nothing left behind. (`revert` alone may leave the volume in between; the snapshot is intact and "
            "repeating the revert converges.)"
        ),
        why=(
            "The only safe answer to an unknown outcome is to ask again or to clean up. Both must work, from every "
            "state a failure can leave."
        ),
        example=(
            "stream.commit()     # DeviceUnavailable, outcome unknown; the object was published",
            "stream = driver.open_output(uri)    # ObjectExists for ever and delete leaves the upload: broken",
        ),
    ),
    Rule(
        id="C-LIST",
        title="each published object once, however many",
        text=(
            "`list_objects` yields each existing object once, published ones only, in any order, however many there "
            "are."
        ),
        why=(
            "A listing that stops at the first page makes garbage collection delete the records of everything after "
            "object 1,000."
        ),
        example=(
            'for item in client.list_objects_v2(Bucket=bucket)["Contents"]:   # first page only, KeyError when empty',
        ),
    ),
    Rule(
        id="C-DESCRIBE",
        title="describe is exact, and absent is ObjectNotFound",
        text=(
            "`describe` gives the kind, exact size in bytes and, where the capability says so, a digest; "
            "`ObjectNotFound` if absent."
        ),
        why=(
            "Capacity, placement and verification stand on the size and the digest. An ETag of a multipart upload is no"
            " MD5, and size 0 for an absent object is a lie."
        ),
        example=(
            'DataObjectDescription(uri, head["ContentLength"], "md5:" + head["ETag"])   # "…-3": broken',
        ),
    ),
    Rule(
        id="C-SNAP",
        title="a snapshot is the volume at one moment, for ever",
        text=(
            "A snapshot holds the volume as it was at one moment between call and return, for ever: later writes, a "
            "revert, other snapshots and their deletion do not change it. Writes flushed before the call are in it."
        ),
        why="A backup that changes afterwards, or that mixes two moments, restores a file system that was never there.",
        example=(
            "driver.take_snapshot(volume, snapshot)",
            'handle.pwrite(0, b"new")',
            'read(snapshot)                       # begins with b"new": broken',
        ),
    ),
    Rule(
        id="C-REVERT",
        title="revert makes the volume equal to the snapshot",
        text=(
            "`revert` makes the volume equal to the snapshot. Later snapshots survive, or the call is refused with "
            "`ObjectInUse` and nothing changes."
        ),
        why=(
            "A revert that silently drops later snapshots takes the only way back away from whoever chose the wrong "
            "one."
        ),
        example=(
            "driver.revert(volume, first)",
            "driver.describe(second)              # ObjectNotFound: broken; it survives, or revert is refused",
        ),
    ),
    Rule(
        id="C-CLONE",
        title="a clone is independent from the first moment",
        text="A clone starts equal to the snapshot and is independent of it and of the parent from then on.",
        why="Linked clones whose parent can change or go away take every virtual machine made from them with it.",
        example=(
            "driver.clone(snapshot, volume)",
            "driver.delete(snapshot)",
            "read(volume)                         # DataCorrupted: broken; refuse the delete or keep the bytes",
        ),
    ),
    Rule(
        id="C-DEPEND",
        title="delete with dependants is all intact or refused",
        text=(
            "Deleting an object on which others depend succeeds with all of them intact, or raises `ObjectInUse` with "
            "nothing changed. Never in between."
        ),
        why=(
            "A delete that removes the data, then fails on the record because of a child, leaves a child without its "
            "bytes."
        ),
        example=(
            "driver.delete(parent)                # raises ObjectInUse, but the parent lost its header: broken",
        ),
    ),
    Rule(
        id="C-VOLUME",
        title="pwrite and pread touch exactly their range",
        text=(
            "`pwrite`/`pread` touch exactly the range asked for; a range outside the volume is `InvalidRequest`; after "
            "`flush` the bytes are durable."
        ),
        why=(
            "A write rounded to blocks destroys its neighbours; a short read taken as zeros destroys the guest's file "
            "system."
        ),
        example=(
            'handle.pwrite(510, b"abcd")',
            "handle.pread(508, 2)                 # changed: broken",
        ),
    ),
)
