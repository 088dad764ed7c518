"""What the logical layer promises in return (contract, section 7). Data only."""

from __future__ import annotations

from storcert.conformance.rule import Rule

LOGICAL_RULES: tuple[Rule, ...] = (
    Rule(
        id="L-NOBYTES",
        title="the management server never holds a byte",
        text=(
            "The management server never holds a byte of an object: no stream is opened there, and the traffic ledger "
            "shows none."
        ),
        why="Bytes through the control plane make it the bottleneck of the cloud, and its crash the loss of transfers.",
        example=(
            "management.copy(source, destination)   # reads a stream to decide the size: broken, describe() tells it",
        ),
    ),
    Rule(
        id="L-ONCE",
        title="every job completes exactly once, truthfully",
        text="Every job completes exactly once, with a truthful result. No answer is not success.",
        why="A job completed twice releases twice; a timeout taken for success deletes a source that was never copied.",
        example=(
            "if answer is None: job.succeed()       # no answer is not success: broken",
        ),
    ),
    Rule(
        id="L-SOURCE",
        title="no source is destroyed before its destination is verified",
        text="A source is never destroyed before its destination is verified.",
        why="Migration is copy, verify, switch, delete. In any other order a crash loses the volume.",
        example=(
            "driver.copy(a, b); driver.delete(a)    # before describe(b) agrees: broken",
        ),
    ),
    Rule(
        id="L-CLEAN",
        title="a failed create or copy leaves nothing",
        text="A failed create or copy leaves no half object and no record of one.",
        why="Half objects and records without bytes pile up and are found by the next operation of the same name.",
        example=(
            "record.insert(); driver.create(uri)    # raises; the record stays Allocated for ever: broken",
        ),
    ),
    Rule(
        id="L-RECORD",
        title="records and bytes agree",
        text=(
            "Record and bytes agree: each Ready record has its bytes; each byte on a device belongs to a record or to "
            "an unfinished job."
        ),
        why=(
            "A Ready record without bytes is a virtual machine that does not start; bytes without a record are paid for"
            " and never deleted."
        ),
        example=(
            "driver.delete(uri)                     # crash here: the record still says Ready: must be reconciled",
        ),
    ),
    Rule(
        id="L-LIVE",
        title="no transitional state is permanent",
        text=(
            "No transitional state is permanent: after faults heal, every object reaches Ready, Failed or Destroyed, "
            "whoever crashed."
        ),
        why=(
            "An object in Copying whose worker died can be neither used nor deleted, until somebody edits the database "
            "by hand."
        ),
        example=(
            'object.state = "Copying"; crash()      # after the restart nobody looks at it: broken',
        ),
    ),
    Rule(
        id="L-SINGLE",
        title="one materialisation per object and device",
        text="One materialisation per object and device, however many ask at once.",
        why="Twenty virtual machines start at once from one template; twenty downloads fill the primary storage.",
        example=(
            "if not staged(template): download(template)   # twenty times: broken",
        ),
    ),
    Rule(
        id="L-DEPEND",
        title="nothing needed is deleted or changed",
        text="No object is deleted or changed while others need it.",
        why="A template deleted while a volume is being made from it, a snapshot removed under a running backup.",
        example=(
            "delete(template)                       # a clone of it is still being made: must wait or refuse",
        ),
    ),
    Rule(
        id="L-REPEAT",
        title="every operation may be repeated",
        text="Every operation may be repeated; leftovers of an earlier try are tolerated.",
        why=(
            "Retries, fail-over and impatient users repeat everything. Leftovers of the first try must not make the "
            "second one fail."
        ),
        example=(
            "copy(a, b)   # fails half way",
            "copy(a, b)   # ObjectExists because of its own leftovers: broken",
        ),
    ),
    Rule(
        id="L-BALANCE",
        title="grants, mounts and references are released as often as taken",
        text="Grants, mounts, staging references and URLs are released as often as they are taken.",
        why="Each failed job that forgets one release ends in a host that cannot be put into maintenance.",
        example=(
            "grant(host, volume); copy(); revoke(host, volume)   # copy raises, no revoke: broken",
        ),
    ),
    Rule(
        id="L-CAPACITY",
        title="capacity counted is capacity used",
        text="Capacity counted = capacity used, after every operation.",
        why="Counters that drift refuse deployments on an empty array, or accept them on a full one.",
        example=(
            "used += size; driver.create(...)       # raises; used stays: broken",
        ),
    ),
    Rule(
        id="L-POLICY",
        title="policy constrains capability before any side effect",
        text="Policy constrains capability everywhere, before any side effect.",
        why="A read-only image store that got written, a quota checked after the upload.",
        example=(
            "transfer(); check_quota()              # broken: in the other order",
        ),
    ),
    Rule(
        id="L-STAGING",
        title="staging copies are counted, and evicted only when unused",
        text="Staging copies are reference-counted and evicted only when unused.",
        why="Eviction under a running copy gives a short read; a count that stays above zero fills the staging store.",
        example=(
            "evict(oldest)                          # its reference count is 1: broken",
        ),
    ),
    Rule(
        id="L-REACH",
        title="the chosen location reaches both ends",
        text="The chosen location really reaches both ends.",
        why="A host of another zone is chosen because it was idle; the copy fails after everything was prepared.",
        example=(
            "endpoint = min(hosts, key=load)        # never asked whether it reaches the pool: broken",
        ),
    ),
    Rule(
        id="L-CONVERGE",
        title="reconciling twice changes nothing the second time",
        text="Reconciliation converges: run twice, the second run changes nothing.",
        why="Two reconcilers that undo each other's work, or one that never settles, delete good data sooner or later.",
        example=(
            "reconcile(); reconcile()               # the second run deletes something: broken",
        ),
    ),
)
